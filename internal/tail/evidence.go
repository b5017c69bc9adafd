package tail

import (
	"math"
	"strings"

	"headway/record"
)

// Bounds of what is kept of a run; beyond them there is no analysis.
const (
	MostRequests = 200_000
	MostChunks   = 2 << 20
)

// Evidence keeps of Records what the analysis needs. The zero value is empty.
type Evidence struct {
	requests []*request
	chunks   int
	over     bool
	sparse   bool
}

// request is one that was sent and has a reply, with times in seconds of the run's
// clock.
type request struct {
	index, turn int
	session     string
	measured    bool // ended well, and not of a warm-up

	// Workers that computed the prompt and the reply.
	prefill, decode      string
	planned, start, sent float64
	at                   []float64 // of chunks with text
	late                 []bool    // read together with the one before by a client that was late
	in, cached           int       // tokens of the prompt; cached is -1 where nobody says it
	began                float64   // when the prompt was begun by the server's word; NaN

	missed int   // tokens that could have been cached and were not
	steps  []int // of each chunk, in its worker's steps
	parts  []part
}

// part is what a step computed of a request's prompt.
type part struct {
	step   int
	tokens float64
}

// Take takes a Record, which it does not keep. It never fails.
func (e *Evidence) Take(r *record.Record) error {
	if e.over || e.sparse || r.Outcome == record.Dropped || !r.Streamed {
		return nil
	}
	if r.Sparse {
		*e = Evidence{sparse: true}
		return nil
	}
	q := requestOf(r)
	if len(q.at) == 0 {
		return nil
	}
	e.requests = append(e.requests, q)
	e.chunks += len(q.at)
	if len(e.requests) > MostRequests || e.chunks > MostChunks {
		*e = Evidence{over: true}
	}
	return nil
}

func requestOf(r *record.Record) *request {
	q := &request{index: r.Index, turn: r.Turn, session: r.Session, measured: r.Outcome == record.OK && !r.Warmup,
		start: seconds(r.Start), sent: seconds(max(r.Sent, r.Start)), in: max(r.TokensIn, 0), cached: -1,
		began: math.NaN()}
	q.planned = q.start
	if r.Planned.Known() && r.Planned < r.Start {
		q.planned = seconds(r.Planned)
	}
	if n, known := r.Usage["prompt_tokens"]; known && q.in == 0 {
		q.in = n
	}
	if n, known := r.Usage["prompt_cache_read_tokens"]; known {
		q.cached = n
	}
	q.chunksOf(r)
	q.workersOf(r)
	return q
}

func (q *request) chunksOf(r *record.Record) {
	for _, a := range r.Arrivals {
		if !a.Kind.Text() {
			continue
		}
		late := a.Coalesced && a.UserspaceStamp
		if late && q.late == nil {
			q.late = make([]bool, len(q.at), len(r.Arrivals))
		}
		if q.late != nil {
			q.late = append(q.late, late)
		}
		q.at = append(q.at, seconds(a.At))
	}
}

// workersOf takes the workers' names: a simulated cluster has "prefill+decode".
func (q *request) workersOf(r *record.Record) {
	q.prefill, q.decode = r.Worker, r.Worker
	if q.decode == "" {
		q.prefill, q.decode = r.URL, r.URL
	}
	if before, after, two := strings.Cut(r.Worker, "+"); two {
		q.prefill, q.decode = before, after
	}
	t := r.Told
	if t == nil {
		return
	}
	if t.PrefillWorker != "" {
		q.prefill = t.PrefillWorker
	}
	if t.DecodeWorker != "" {
		q.decode = t.DecodeWorker
	}
	if t.Prefill != nil && len(q.at) > 0 {
		q.began = max(q.sent, q.at[0]-*t.Prefill)
	}
}

func (q *request) isLate(nth int) bool { return nth < len(q.late) && q.late[nth] }

func (q *request) first() float64 { return q.at[0] }

// need is how many tokens of the prompt had to be computed.
func (q *request) need() float64 { return float64(max(1, q.in-max(0, q.cached))) }
