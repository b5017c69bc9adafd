package profile

import (
	"errors"
	"fmt"

	"headway/internal/fault"
	"headway/metric"
	"headway/record"
)

// reading is a sink that keeps what a point needs of a plan's Records.
type reading struct {
	collector *metric.Collector

	ttft, itl, output []float64 // by request; seconds, seconds, tokens
	served            []float64 // ITL by the server's count, of replies that say it
	sent, valid       int
	failure           string
	pace              metric.ReadPace

	prompts, cached []float64 // by request, where the server said it
	generated       float64   // completion tokens by the server's count, of replies that say it
	counted         float64   // the same replies by our count

	lastFirst, firstLast record.Time // latest first token, earliest end

	countedBy string // whose counts of tokens these are
	turned    bool   // the replies before had usage, and one of these has none

	remarks []string // on the run, that were not made of the point before
	name    func(fault.Field) string
	invalid string // why the client is what was measured; of an earlier run, too
}

func newReading(s metric.TokenSource) *reading {
	return &reading{collector: metric.NewCollector(metric.Options{Streaming: true, Tokens: s})}
}

// Take adds a Record.
func (r *reading) Take(rec *record.Record) error {
	r.sent++
	if !metric.Valid(rec) {
		if f, ok := metric.FailureOf(rec); ok && r.failure == "" {
			r.failure = f.Message
		}
		return r.collector.Take(rec)
	}
	r.valid++
	for _, m := range []struct {
		of   func(*record.Record) (float64, bool)
		into *[]float64
	}{{metric.TTFT, &r.ttft}, {metric.ITL, &r.itl}, {metric.OSL, &r.output}} {
		if v, ok := m.of(rec); ok {
			*m.into = append(*m.into, v)
		}
	}
	if n, ok := rec.Usage["prompt_tokens"]; ok {
		r.prompts = append(r.prompts, float64(n))
	}
	if n, ok := rec.Usage["prompt_cache_read_tokens"]; ok {
		r.cached = append(r.cached, float64(n))
	}
	if osl, ok := metric.OSL(rec); ok && rec.Usage["completion_tokens"] > 0 {
		n := float64(rec.Usage["completion_tokens"])
		r.generated += n
		r.counted += osl
		if itl, ok := metric.ITL(rec); ok && n > 1 {
			r.served = append(r.served, itl*(osl-1)/(n-1))
		}
	}
	r.pace.Add(rec, 1)
	r.overlap(rec)
	return r.collector.Take(rec)
}

// overlap notes when the last request had its first token and when the first
// one ended.
func (r *reading) overlap(rec *record.Record) {
	for i := range rec.Arrivals {
		if rec.Arrivals[i].Kind.Text() {
			r.lastFirst = max(r.lastFirst, rec.Arrivals[i].At)
			break
		}
	}
	if r.firstLast == 0 || rec.Done < r.firstLast {
		r.firstLast = rec.Done
	}
}

// together says that at some time all requests were being answered.
func (r *reading) together() bool { return r.lastFirst <= r.firstLast }

// fault says why the replies cannot be used, paced where their inter-token
// latency is needed; nil where they can.
func (r *reading) fault(planned, osl int, paced bool) error {
	switch {
	case r.valid < planned && r.failure != "":
		return fmt.Errorf("%d of %d requests failed: %s", planned-r.valid, planned, r.failure)
	case r.valid < planned:
		return fmt.Errorf("%d of %d requests were not answered", planned-r.valid, planned)
	case len(r.ttft) < planned:
		return errors.New("replies did not come as a stream, so that there is no first token to be seen")
	case len(r.output) < r.valid:
		return uncounted(r.valid-len(r.output), r.valid)
	case paced && osl > 1 && r.pace.Unread > 0 && !r.pace.Known():
		return heldBack(r.pace)
	case osl > 1 && len(r.itl)+r.pace.Unread < planned:
		return errors.New("a reply has fewer than two tokens: the server did not go on to the length that was asked " +
			"for (ignore_eos, min_tokens)")
	}
	return nil
}

// uncounted says that there is nothing to divide by.
func uncounted(n, of int) error {
	return fault.New("nobody counted the tokens of %d of %d replies: with %s the server has to send usage",
		n, of, fault.Field("use-server-token-count"))
}

// heldBack says that replies have no inter-token latency.
func heldBack(p metric.ReadPace) error {
	return fmt.Errorf("%s: what lies between holds text back (--stream-interval, a proxy's buffer, a "+
		"busy client)", p.Why())
}

// between is ITL by request in tokens as the server counts them, where every reply says
// how many; else as they were counted.
func (r *reading) between() []float64 {
	if len(r.served) == len(r.itl) {
		return r.served
	}
	return r.itl
}

// otherwise says whether the figures are of the client's tokens though every reply has the
// server's.
func (r *reading) otherwise() bool {
	return r.countedBy == metric.TokensClient.String() && len(r.served) > 0 && len(r.served) == len(r.itl)
}

// throughput is generated tokens per second, from the first start to the last
// token.
func (r *reading) throughput() (float64, bool) {
	s, ok := r.collector.Result().Scalar("output_token_throughput")
	return s.Value, ok
}

// mean of values, and false where there are none.
func mean(values []float64) (float64, bool) { return figureOf(values).Mean, len(values) > 0 }

// notes puts into q what the server said of prompts and what is odd about the
// replies' lengths.
func (r *reading) notes(q *Quality, isl, osl int) {
	if n, ok := mean(r.prompts); ok {
		if q.ServerISL = n; n < 0.95*float64(isl) {
			q.warn(fmt.Sprintf("the server counted %.0f prompt tokens of %d: it has another tokenizer than the one "+
				"that made the prompts, or it cuts them", n, isl))
		}
	}
	q.CountedBy = r.countedBy
	if q.Invalid == "" {
		q.Invalid = r.invalid
	}
	for _, text := range r.remarks {
		q.warn(text)
	}
	if r.turned {
		q.warn(fault.Text(r.name, "a reply without usage: from this point on tokens are counted by this client, "+
			"and those before are the server's; %s client counts all alike", fault.Field("token-count")))
	}
	if n, ok := mean(r.cached); ok && q.ServerISL > 0 {
		q.Cached = n / q.ServerISL
	}
	if r.counted > 0 && outside(r.generated/r.counted, 0.02) {
		q.warn(fault.Text(r.name, "the server counted %.3g times as many reply tokens as the tokenizer here: "+
			"ITL is per token as counted here, and the server's in the planner's arrays; %s server takes the server's",
			r.generated/r.counted,
			fault.Field("token-count")))
	}
	if n, ok := mean(r.output); ok && outside(n/float64(osl), 0.02) {
		q.warn(fmt.Sprintf("replies have %.4g tokens where %d were asked for", n, osl))
	}
}

// outside says that a ratio is not 1 within a share.
func outside(ratio, share float64) bool { return ratio < 1-share || ratio > 1+share }
