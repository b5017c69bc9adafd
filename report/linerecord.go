package report

import (
	"encoding/json"
	"math"
	"strings"

	"headway/metric"
	"headway/record"
)

// requestLine is a line of profile_export.jsonl. Version 0.1 of aiperf wrote
// nulls where later ones leave keys out.
type requestLine struct {
	Metadata struct {
		Index       int    `json:"session_num"`
		Request     string `json:"x_request_id"`
		Correlation string `json:"x_correlation_id"`
		Session     string `json:"conversation_id"`
		Turn        int    `json:"turn_index"`
		Issued      int64  `json:"credit_issued_ns"`
		Start       int64  `json:"request_start_ns"`
		Ack         int64  `json:"request_ack_ns"`
		End         int64  `json:"request_end_ns"`
		Worker      string `json:"worker_id"`
		Phase       string `json:"benchmark_phase"`
		Cancelled   bool   `json:"was_cancelled"`
	} `json:"metadata"`
	Metrics map[string]requestFigure `json:"metrics"`
	Error   *struct {
		Code    int    `json:"code"`
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
}

type requestFigure struct {
	Value json.RawMessage `json:"value"`
	Unit  string          `json:"unit"`
}

func (q *requestLine) has(tag string) bool { _, ok := q.number(tag); return ok }

// number is a figure in the file's unit.
func (q *requestLine) number(tag string) (v float64, ok bool) {
	f, has := q.Metrics[tag]
	return v, has && json.Unmarshal(f.Value, &v) == nil && string(f.Value) != "null"
}

// count is a whole number, missing where the line has none.
func (q *requestLine) count(tag string, missing int) int {
	if v, ok := q.number(tag); ok && v >= 0 && v <= 1e9 {
		return int(v)
	}
	return missing
}

// unitNanos are the units of time.
var unitNanos = map[string]float64{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "sec": 1e9}

// span is a latency.
func (q *requestLine) span(tag string) (record.Time, bool) {
	v, ok := q.number(tag)
	scale := unitNanos[q.Metrics[tag].Unit]
	return record.Time(math.Round(v * scale)), ok && scale > 0 && v*scale < math.MaxInt64/4
}

// record makes a Record that has the line's figures; times count from origin, in
// nanoseconds since 1970.
func (q *requestLine) record(origin int64) *record.Record {
	m := &q.Metadata
	at := func(ns int64) record.Time {
		if ns <= origin {
			return 0
		}
		return record.Time(ns - origin)
	}
	r := &record.Record{
		Index: m.Index, Warmup: m.Phase == "warmup", Session: m.Session, Turn: m.Turn,
		RequestID: m.Request, CorrelationID: m.Correlation,
		Planned: at(m.Issued), Start: at(m.Start), Ack: at(m.Ack), Done: at(m.End),
		Outcome: record.OK, TokensIn: q.count("input_sequence_length", q.count("error_isl", -1)),
	}
	if !r.Planned.Known() {
		r.Planned = r.Start
	}
	reasoning := q.count("reasoning_token_count", 0)
	r.TokensReasoning = reasoning
	r.TokensOut = q.count("output_token_count", max(-1, q.count("output_sequence_length", -1)-reasoning))
	r.Usage = q.usage()
	q.arrive(r)
	q.fail(r)
	return r
}

// arrive gives the Record its chunks: all where the line has the gaps between
// them, else the first and the last.
func (q *requestLine) arrive(r *record.Record) {
	stamped := func(t record.Time) record.Arrival {
		return record.Arrival{At: r.Start + t, Kind: record.Content, UserspaceStamp: q.Metadata.Worker != "headway"}
	}
	last, ended := q.span("request_latency")
	first, streamed := q.span("time_to_first_token")
	if r.Streamed = streamed; streamed {
		r.Arrivals = append(r.Arrivals, stamped(first))
		var gaps []float64
		f := q.Metrics["inter_chunk_latency"]
		known := json.Unmarshal(f.Value, &gaps) == nil && unitNanos[f.Unit] > 0
		r.Sparse = !known && last > first
		sum := float64(first)
		for _, gap := range gaps {
			sum += gap * unitNanos[f.Unit]
			r.Arrivals = append(r.Arrivals, stamped(record.Time(math.Round(sum))))
		}
		if known {
			return
		}
	}
	if ended && (!streamed || last > first) {
		r.Arrivals = append(r.Arrivals, stamped(last))
	}
}

// usage is what the server counted.
func (q *requestLine) usage() map[string]int {
	var all map[string]int
	for tag := range q.Metrics {
		key, is := strings.CutPrefix(tag, "usage_")
		if !is || strings.HasSuffix(key, "_pct") || !metric.IsUsage(key) {
			continue
		}
		if all == nil {
			all = map[string]int{}
		}
		all[key] = q.count(tag, 0)
	}
	return all
}

// fail gives the outcome of a request without a reply.
func (q *requestLine) fail(r *record.Record) {
	if e := q.Error; e != nil {
		r.Outcome = record.Failed
		r.Failure = &record.Failure{Class: classOf(e.Code), Code: e.Code, Type: e.Type, Message: e.Message}
	}
	if q.Metadata.Cancelled || r.Failure != nil && r.Failure.Code == 499 {
		r.Outcome = record.Cancelled
	}
	if r.Outcome == record.Cancelled && r.Failure == nil {
		r.Failure = &record.Failure{Class: record.ClassCancelled, Code: 499, Type: "RequestCancellationError",
			Message: "the request was cancelled"}
	}
}

// classOf is as much of a failure's class as its status tells.
func classOf(code int) record.Class {
	switch {
	case code == 499:
		return record.ClassCancelled
	case code >= 400 && code < 500:
		return record.ClassHTTP4
	case code >= 500 && code < 600:
		return record.ClassHTTP5
	}
	return record.ClassServer
}
