package profile

import (
	"context"
	"errors"
	"fmt"
	"math"

	"headway/metric"
	"headway/workload"
)

// Sweep says how an engine is measured in depth. The zero value of every field
// but MaxContext and Granularity means its default.
type Sweep struct {
	// MaxContext is the engine's longest context in tokens, Granularity how
	// fine the grid is; see [PrefillGrid] and [DecodeGrid].
	MaxContext, Granularity int
	// Repeats is how often each point is measured; default 3. While the 95 %
	// interval of a point's mean is wider than MaxShare of it (half of the
	// interval over the mean; default 0.05) it is measured again, up to
	// MostRepeats (default 3·Repeats) in all. With Repeats 1 there is no
	// interval and no second time.
	Repeats, MostRepeats int
	MaxShare             float64
	// Key names all prompts. No two points, repeats or attempts share one,
	// other than to fill a cache on purpose.
	Key workload.Key
	// Journal keeps each point when it is there, and has those of an earlier
	// attempt; nil keeps nothing.
	Journal *Journal
	// Progress, which may be nil, is told before each repeat and after each
	// point.
	Progress func(Step)

	// ReplyTokens is the length of a decode's replies; default 500, which is
	// what the planner takes a decode profile for.
	ReplyTokens int
	// Tokens says whose counts of tokens the points are made of.
	Tokens metric.TokenSource
}

// Step is how far a sweep has come.
type Step struct {
	Phase Phase
	// Point counts from 1 to Points. Name says which it is.
	Point, Points int
	Name          string
	// Repeat counts from 1; 0 is the warm-up, or the filling of the cache.
	Repeat int
	// Done is set after the last repeat, and Result is the point in words then.
	Done     bool
	Result   string
	Warnings []string
}

// The defaults of a Sweep.
const (
	defaultRepeats  = 3
	defaultMaxShare = 0.05
	// giveUp is how many repeats of a point may fail before the point does.
	giveUp = 3
)

func (s Sweep) withDefaults() Sweep {
	if s.Repeats == 0 {
		s.Repeats = defaultRepeats
	}
	if s.MostRepeats == 0 {
		s.MostRepeats = 3 * s.Repeats
	}
	if s.MaxShare == 0 {
		s.MaxShare = defaultMaxShare
	}
	if s.ReplyTokens == 0 {
		s.ReplyTokens = decodeOSL
	}
	return s
}

// Validate lists every fault for a phase, by the names of the options.
func (s Sweep) Validate(p Phase) error {
	s = s.withDefaults()
	var faults []error
	grid := PrefillGrid
	if p == Decode {
		grid = DecodeGrid
	}
	if _, err := grid(s.MaxContext, s.Granularity); err != nil {
		faults = append(faults, err)
	}
	if s.Repeats < 1 || s.Repeats > 100 {
		faults = append(faults, fmt.Errorf("repeats %d: must be from 1 to 100", s.Repeats))
	}
	if s.MostRepeats < s.Repeats || s.MostRepeats > 1000 {
		faults = append(faults, fmt.Errorf("--max-repeats %d: must be from %d, the --repeats of every point, to 1000", s.MostRepeats, s.Repeats))
	}
	if !(s.MaxShare > 0 && s.MaxShare <= 1) {
		faults = append(faults, fmt.Errorf("widest interval %g: must be a share of the mean above 0, at most 1", s.MaxShare))
	}
	return errors.Join(faults...)
}

// prober measures an engine for a sweep, one point after the other.
type prober struct {
	Sweep
	engine Engine
	phase  Phase
	facts  Facts
	key    workload.Key
	points int // of the grid
	whose  whose
}

func newProber(e Engine, s Sweep, p Phase) (*prober, error) {
	if err := s.Validate(p); err != nil {
		return nil, fmt.Errorf("profiling the engine's %s: %w", p, err)
	}
	b := &prober{Sweep: s.withDefaults(), engine: e, phase: p, facts: e.Facts()}
	b.facts.GPUs, b.facts.AttentionDP = max(b.facts.GPUs, 1), max(b.facts.AttentionDP, 1)
	// An attempt that was cut off has sent prompts that the next must not
	// repeat: the server may still have them in its cache.
	b.key = b.Key.Named(string(p)).Named("attempt").Index(b.Journal.attempt())
	return b, nil
}

// series gathers the repeats of one point; once makes one of them, whose
// deciding figure it returns. It ends when the figure is sure enough, or with
// MostRepeats, or when too many repeats failed. The error is one that ends the
// sweep: the engine died, or ctx did.
func (b *prober) series(ctx context.Context, at Step, q *Quality, once func(repeat int) (float64, error)) error {
	var values []float64
	failed := 0
	for n := 0; len(values) < b.Repeats || b.wide(values) && len(values) < b.MostRepeats; n++ {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		at.Repeat = n + 1
		b.tell(at)
		v, err := once(n)
		var dead *DeadError
		switch {
		case err == nil:
			values = append(values, v)
		case errors.As(err, &dead), ctx.Err() != nil:
			return err
		default:
			if failed++; failed == giveUp {
				q.Failed = err.Error()
				return nil
			}
			q.warn("a repeat was left out: " + err.Error())
		}
	}
	if q.Wide = b.wide(values); q.Wide {
		q.warn(fmt.Sprintf("after %d repeats the 95 %% interval is still ±%.1f %% of the mean", len(values), 100*figureOf(values).Share()))
	}
	return nil
}

// wide says that the interval of the mean is wider than was asked for. A single
// repeat has none.
func (b *prober) wide(values []float64) bool {
	if b.Repeats == 1 {
		return false
	}
	f := figureOf(values)
	return f.N > 1 && !(f.Share() <= b.MaxShare)
}

func (b *prober) tell(s Step) {
	if b.Progress != nil {
		s.Phase, s.Points = b.phase, b.points
		b.Progress(s)
	}
}

// run drives n requests at a time of a key and returns what the sink saw. An
// error of its own says that a reply cannot be used.
func (b *prober) run(ctx context.Context, key workload.Key, total, atOnce, isl, osl int) (*reading, error) {
	sink := metric.NewCounted(b.whose.source(b.Tokens, b.facts), newReading)
	_, err := b.engine.Run(ctx, workload.Plan{Source: prompts(key, 0, total, isl, osl), Requests: total, Concurrency: atOnce, Grace: -1}, sink)
	r, s := sink.Chosen()
	r.turned = b.whose.note(s, r.valid)
	if !b.facts.Simulated {
		r.countedBy = b.whose.name
	}
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	// A prefill's few tokens are needed only where several prompts of a burst
	// wait for each other.
	return r, r.fault(total, osl, b.phase == Decode || b.facts.AttentionDP > 1)
}

// words is a figure for people, scaled to the unit.
func words(f Figure, scale float64, unit string) string {
	s := fmt.Sprintf("%.4g", f.Mean*scale)
	if h := f.HalfWidth(); !math.IsInf(h, 0) {
		s += fmt.Sprintf(" ±%.2g", h*scale)
	}
	return s + " " + unit
}
