package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// recordLine is a Record as it stands on a line of records.jsonl: every time in
// nanoseconds on the run's clock, fields that are zero left out.
type recordLine struct {
	lineHead
	Arrivals arrivalsLine `json:"arrivals,omitempty"`
	lineTail
}

// lineHead and lineTail are what stands before and behind the arrivals.
type lineHead struct {
	Index       int    `json:"index"`
	Outcome     string `json:"outcome"`
	Warmup      bool   `json:"warmup,omitempty"`
	Session     string `json:"session,omitempty"`
	Turn        int    `json:"turn,omitempty"`
	RequestID   string `json:"request_id,omitempty"`
	Correlation string `json:"correlation_id,omitempty"`
	URL         string `json:"url,omitempty"`
	Worker      string `json:"worker,omitempty"`

	Planned Time      `json:"planned,omitempty"`
	Start   Time      `json:"start,omitempty"`
	Sent    Time      `json:"sent,omitempty"`
	Ack     Time      `json:"ack,omitempty"`
	Done    Time      `json:"done,omitempty"`
	HTTP    *httpLine `json:"http,omitempty"`

	Streamed bool `json:"streamed,omitempty"`
	Sparse   bool `json:"sparse,omitempty"`
}

type lineTail struct {
	Skipped int      `json:"skipped,omitempty"`
	Unknown int      `json:"unknown_lines,omitempty"`
	Finish  string   `json:"finish_reason,omitempty"`
	Failure *Failure `json:"failure,omitempty"`

	PlannedISL      int            `json:"want_in,omitempty"`
	PlannedOSL      int            `json:"want_out,omitempty"`
	TokensIn        int            `json:"tokens_in,omitempty"`
	TokensOut       int            `json:"tokens_out,omitempty"`
	TokensReasoning int            `json:"tokens_reasoning,omitempty"`
	Usage           map[string]int `json:"usage,omitempty"`
	FirstUsage      int            `json:"first_usage,omitempty"`
	Told            *Told          `json:"server_told,omitempty"`
}

type httpLine struct {
	DNSStart      Time   `json:"dns_start,omitempty"`
	DNSDone       Time   `json:"dns_done,omitempty"`
	ConnectStart  Time   `json:"connect_start,omitempty"`
	ConnectDone   Time   `json:"connect_done,omitempty"`
	TLSStart      Time   `json:"tls_start,omitempty"`
	TLSDone       Time   `json:"tls_done,omitempty"`
	GotConn       Time   `json:"got_conn,omitempty"`
	HeadersSent   Time   `json:"headers_sent,omitempty"`
	FirstByte     Time   `json:"first_byte,omitempty"`
	FirstBody     Time   `json:"first_body,omitempty"`
	End           Time   `json:"end,omitempty"`
	FirstRead     Time   `json:"first_read,omitempty"`
	Reused        bool   `json:"reused,omitempty"`
	BytesSent     int64  `json:"bytes_sent,omitempty"`
	BytesReceived int64  `json:"bytes_received,omitempty"`
	Chunks        int    `json:"chunks,omitempty"`
	Status        int    `json:"status,omitempty"`
	Remote        string `json:"remote,omitempty"`
}

// encodeLine makes a Record's line as recordLine describes it, its end of line
// included; it is good until the next call. The arrivals are put between what
// encoding/json makes of the rest: they are nearly all of the line, and
// checking and copying them again, as it does with a Marshaler's text, takes
// several times as long as writing them.
func (w *Writer) encodeLine(r *Record) ([]byte, error) {
	head, tail := linePartsOf(r)
	w.part.Reset()
	if err := w.partly.Encode(head); err != nil {
		return nil, err
	}
	b := append(w.line[:0], bytes.TrimSuffix(w.part.Bytes(), []byte("}\n"))...)
	if len(r.Arrivals) > 0 {
		b = arrivalsLine(r.Arrivals).append(append(b, `,"arrivals":`...))
	}
	w.part.Reset()
	if err := w.partly.Encode(tail); err != nil {
		return nil, err
	}
	rest := bytes.TrimPrefix(w.part.Bytes(), []byte("{"))
	if rest[0] != '}' {
		b = append(b, ',')
	}
	w.line = append(b, rest...)
	return w.line, nil
}

func linePartsOf(r *Record) (lineHead, lineTail) {
	head := lineHead{
		Index: r.Index, Outcome: r.Outcome.String(), Warmup: r.Warmup,
		Session: r.Session, Turn: r.Turn,
		RequestID: r.RequestID, Correlation: r.CorrelationID, URL: r.URL, Worker: r.Worker,
		Planned: r.Planned, Start: r.Start, Sent: r.Sent, Ack: r.Ack, Done: r.Done,
		Streamed: r.Streamed, Sparse: r.Sparse,
	}
	if r.HTTP != (HTTP{}) {
		h := httpLine(r.HTTP)
		head.HTTP = &h
	}
	return head, lineTail{
		Skipped: r.Skipped, Unknown: r.Unknown, Finish: r.Finish, Failure: r.Failure,
		PlannedISL: r.PlannedISL, PlannedOSL: r.PlannedOSL,
		TokensIn: r.TokensIn, TokensOut: r.TokensOut, TokensReasoning: r.TokensReasoning,
		Usage: r.Usage, FirstUsage: r.FirstUsage, Told: r.Told,
	}
}

func (l *recordLine) record() (*Record, error) {
	o := slices.Index(outcomeNames[:], l.Outcome)
	switch {
	case l.Outcome == "":
		return nil, errors.New("not a record: it has no \"outcome\"")
	case o < 0:
		return nil, fmt.Errorf("outcome %q is none of %q", l.Outcome, outcomeNames)
	}
	r := &Record{
		Index: l.Index, Warmup: l.Warmup, Session: l.Session, Turn: l.Turn,
		RequestID: l.RequestID, CorrelationID: l.Correlation, URL: l.URL, Worker: l.Worker,
		Planned: l.Planned, Start: l.Start, Sent: l.Sent, Ack: l.Ack, Done: l.Done,
		Streamed: l.Streamed, Sparse: l.Sparse, Arrivals: l.Arrivals, Skipped: l.Skipped, Unknown: l.Unknown,
		Finish:  l.Finish,
		Outcome: Outcome(o), Failure: l.Failure,
		PlannedISL: l.PlannedISL, PlannedOSL: l.PlannedOSL,
		TokensIn: l.TokensIn, TokensOut: l.TokensOut, TokensReasoning: l.TokensReasoning,
		Usage: l.Usage, FirstUsage: l.FirstUsage, Told: l.Told,
	}
	if l.HTTP != nil {
		r.HTTP = HTTP(*l.HTTP)
	}
	return r, nil
}

// Flags of an arrival on a line.
const (
	flagCoalesced = 1 << iota
	flagUserspaceStamp
)

// arrivalsLine is a reply's chunks as arrays of whole numbers: nanoseconds
// since the chunk before (the first: the time itself), kind, tokens, bytes,
// flags. Zeros at an array's end are left out. A reply has hundreds of chunks,
// and objects with names would make the file four times as long.
type arrivalsLine []Arrival

// append writes the arrays.
func (a arrivalsLine) append(b []byte) []byte {
	b = slices.Grow(b, 2+24*len(a))
	b = append(b, '[')
	var last int64
	for i, v := range a {
		if i > 0 {
			b = append(b, ',')
		}
		at := int64(v.At)
		b = appendArrival(b, at-last, v)
		last = at
	}
	return append(b, ']')
}

func appendArrival(b []byte, delta int64, v Arrival) []byte {
	var flags int64
	if v.Coalesced {
		flags |= flagCoalesced
	}
	if v.UserspaceStamp {
		flags |= flagUserspaceStamp
	}
	nums := [...]int64{delta, int64(v.Kind), int64(v.Tokens), int64(v.Bytes), flags}
	n := len(nums)
	for n > 1 && nums[n-1] == 0 {
		n--
	}
	b = append(b, '[')
	for i, x := range nums[:n] {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, x, 10)
	}
	return append(b, ']')
}

// UnmarshalJSON reads the arrays.
func (a *arrivalsLine) UnmarshalJSON(b []byte) error {
	var rows [][]int64
	if err := json.Unmarshal(b, &rows); err != nil {
		return err
	}
	if rows == nil {
		return nil
	}
	out := make([]Arrival, len(rows))
	var at int64
	for i, row := range rows {
		if len(row) == 0 || len(row) > 5 {
			return fmt.Errorf("arrival %d has %d numbers, want 1 to 5", i, len(row))
		}
		var nums [5]int64
		copy(nums[:], row)
		if nums[1] < 0 || nums[1] > 0xff {
			return fmt.Errorf("arrival %d has kind %d, want 0 to 255", i, nums[1])
		}
		at += nums[0]
		out[i] = Arrival{
			At: Time(at), Kind: Kind(nums[1]), Tokens: int(nums[2]), Bytes: int(nums[3]),
			Coalesced: nums[4]&flagCoalesced != 0, UserspaceStamp: nums[4]&flagUserspaceStamp != 0,
		}
	}
	*a = out
	return nil
}
