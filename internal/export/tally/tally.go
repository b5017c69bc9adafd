// Package tally counts what a run does while it goes, for those who look at it from
// outside: a scraper of Prometheus, a collector of OpenTelemetry. Records go in, a
// [State] comes out. It costs well under a microsecond a request and never waits.
//
// The figures of a result are those of package metric. A tally has the same counts
// and sums, and histograms with fixed bounds in place of quantiles.
package tally

import (
	"maps"
	"slices"
	"sync"
	"time"

	"headway/load"
	"headway/metric"
	"headway/record"
)

// Bounds of the histograms: those that the semantic conventions of GenAI advise, with
// finer ones below. Seconds, and tokens.
var (
	latencyBounds = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	ttftBounds    = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	itlBounds     = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1,
		2.5}
	delayBounds = []float64{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60}
	tokenBounds = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576}
)

// State is what was counted so far at one point, over all of its runs, warm-up left out
// of all but its own count.
type State struct {
	// Point names what the runs are of, such as the level of a sweep: values by names of
	// lower-case letters; empty where a call has one load alone.
	Point map[string]string
	// Since is when the first run of the point began.
	Since time.Time
	// OK, Failed, Cancelled and Dropped are planned requests by what became of them;
	// Warmup are those of warm-ups that ended.
	OK, Failed, Cancelled, Dropped, Warmup int64
	// Sent counts finished requests that were sent, Late those of them that were
	// answered and had started later than planned by more than the bound.
	Sent, Late int64
	// Failures are the failed ones by class.
	Failures map[record.Class]int64
	// TTFT, ITL, Latency and Delay (planned to started) are in seconds, of requests
	// that were answered; Input and Output in tokens.
	TTFT, ITL, Latency, Delay, Input, Output Histogram
	// InFlight requests have been sent and not finished, Waiting ones of these have
	// had no text yet.
	InFlight, Waiting int64
	// Run is the run under way, or the last one.
	Run record.Header
	// Stamps and Schedule are the verdicts on the client of the last run that ended,
	// empty before.
	Stamps, Schedule record.Verdict
}

// Tally is filled by runs, each of a point; it may be read and filled from any goroutine.
type Tally struct {
	late   float64 // seconds
	mu     sync.Mutex
	points []*point // in the order in which they began
}

// point is what all runs of one point share. The Tally's lock is its own, too.
type point struct {
	State
	runs  int // under way
	loads []*load.Generator
}

// Run counts the Records of one run.
type Run struct {
	t  *Tally
	at *point
	by metric.TokenSource
}

// mostPoints is how many points are kept. A search can have thousands: those that ended
// first are forgotten, and no longer told of.
const mostPoints = 256

// usualLate is the delay above which a request counts as late, where none is given.
const usualLate = 10 * time.Millisecond

// New makes an empty Tally. late is the delay above which a request is late; 0 is 10 ms.
func New(late time.Duration) *Tally {
	if late <= 0 {
		late = usualLate
	}
	return &Tally{late: late.Seconds()}
}

// Begin says that a run of a point begins, and whose token counts it takes.
func (t *Tally) Begin(h record.Header, by metric.TokenSource, at map[string]string) *Run {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.points, func(p *point) bool { return maps.Equal(p.Point, at) })
	if i < 0 {
		t.forget()
		i = len(t.points)
		t.points = append(t.points, &point{State: empty(at)})
	}
	p := t.points[i]
	p.runs++
	p.Run = h
	return &Run{t: t, at: p, by: by}
}

// forget makes room for another point where there are too many.
func (t *Tally) forget() {
	if len(t.points) < mostPoints {
		return
	}
	if i := slices.IndexFunc(t.points, func(p *point) bool { return p.runs == 0 }); i >= 0 {
		t.points = slices.Delete(t.points, i, i+1)
	}
}

func empty(at map[string]string) State {
	return State{
		Point:    maps.Clone(at),
		Since:    time.Now(),
		Failures: map[record.Class]int64{},
		TTFT:     newHistogram(ttftBounds),
		ITL:      newHistogram(itlBounds),
		Latency:  newHistogram(latencyBounds),
		Delay:    newHistogram(delayBounds),
		Input:    newHistogram(tokenBounds),
		Output:   newHistogram(tokenBounds),
	}
}

// End ends the run with the verdict on the client; nil is none.
func (r *Run) End(a *record.Audit) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.at.runs--
	if a != nil {
		r.at.Stamps, r.at.Schedule = a.StampsVerdict, a.ScheduleVerdict
	}
}

// Watch asks a generator for the requests in flight until stop is called.
func (r *Run) Watch(g *load.Generator) (stop func()) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.at.loads = append(r.at.loads, g)
	return func() {
		r.t.mu.Lock()
		defer r.t.mu.Unlock()
		if i := slices.Index(r.at.loads, g); i >= 0 {
			r.at.loads = slices.Delete(r.at.loads, i, i+1)
		}
	}
}

// Now is a copy of what was counted so far, a State for each point in the order in which
// they began.
func (t *Tally) Now() []State {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]State, len(t.points))
	for i, p := range t.points {
		all[i] = p.now()
	}
	return all
}

func (p *point) now() State {
	s := p.State
	s.Failures = maps.Clone(s.Failures)
	for _, h := range []*Histogram{&s.TTFT, &s.ITL, &s.Latency, &s.Delay, &s.Input, &s.Output} {
		*h = h.clone()
	}
	for _, g := range p.loads {
		now := g.Snapshot()
		s.InFlight += now.InFlight
		s.Waiting += now.Waiting
	}
	return s
}

// Take counts a Record. The error is always nil.
func (r *Run) Take(rec *record.Record) error {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	s := &r.at.State
	if rec.Warmup {
		s.Warmup++
		return nil
	}
	rec = Counted(rec, r.by)
	if rec.Start.Known() {
		s.Sent++
	}
	switch {
	case rec.Outcome == record.Dropped:
		s.Dropped++
	case rec.Outcome == record.Cancelled:
		s.Cancelled++
	case !metric.Valid(rec):
		s.Failed++
		s.Failures[ClassOf(rec)]++
	default:
		s.answered(rec, r.t.late)
	}
	return nil
}

// answered counts a request that was answered as it should. late is in seconds.
func (s *State) answered(r *record.Record, late float64) {
	s.OK++
	s.TTFT.take(metric.TTFT(r))
	s.ITL.take(metric.ITL(r))
	s.Latency.take(metric.RequestLatency(r))
	s.Input.take(metric.ISL(r))
	s.Output.take(metric.OSL(r))
	delay, ok := metric.CreditToStart(r)
	s.Delay.take(delay, ok)
	if ok && delay > late {
		s.Late++
	}
}

// Counted is a Record with the token counts that figures are made of. Where whose they
// are is only found at the end of a run (auto), they are the server's where it says them.
func Counted(r *record.Record, by metric.TokenSource) *record.Record {
	if by == metric.TokensClient {
		return r
	}
	counted, _ := metric.AsServerCounted(r)
	if counted == nil {
		return r
	}
	return counted
}

// ClassOf is why a Record counts as failed; a reply without content is empty.
func ClassOf(r *record.Record) record.Class {
	if r.Failure == nil {
		return record.ClassEmpty
	}
	return r.Failure.Class
}

// Level is a verdict as a number: 0 valid, 1 doubtful, 2 invalid.
func Level(v record.Verdict) int64 {
	return map[record.Verdict]int64{record.AuditDoubtful: 1, record.AuditInvalid: 2}[v]
}
