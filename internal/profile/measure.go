package profile

import (
	"context"
	"errors"
	"fmt"

	"headway/internal/fault"
	"headway/metric"
	"headway/workload"
)

// Grid says how an engine is measured in depth. The zero value of every field
// but MaxContext and Granularity means its default.
type Grid struct {
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
	// Name is what an option is called where warnings of points are read; nil
	// leaves options their own names.
	Name func(fault.Field) string
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

// The defaults of a Grid.
const (
	defaultRepeats  = 3
	defaultMaxShare = 0.05
	// giveUp is how many repeats of a point may fail before the point does.
	giveUp = 3
)

func (s Grid) withDefaults() Grid {
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
func (s Grid) Validate(p Phase) error {
	s = s.withDefaults()
	var bad fault.List
	grid := PrefillGrid
	if p == Decode {
		grid = DecodeGrid
	}
	if _, err := grid(s.MaxContext, s.Granularity); err != nil {
		bad.Join(err)
	}
	repeats := fault.Field("repeats")
	bad.Check(s.Repeats >= 1 && s.Repeats <= 100, repeats, s.Repeats, "from 1 to 100")
	bad.When(s.MostRepeats < s.Repeats || s.MostRepeats > 1000,
		"%s %d: must be from %d, the %s of every point, to 1000",
		fault.Field("max-repeats"), s.MostRepeats, s.Repeats, repeats)
	bad.When(!(s.MaxShare > 0 && s.MaxShare <= 1), "%s %g %%: must be above 0, at most 100", fault.Field("max-spread"),
		100*s.MaxShare)
	return bad.Err()
}

// prober measures an engine for a sweep, one point after the other.
type prober struct {
	Grid
	engine Subject
	phase  Phase
	facts  Facts
	key    workload.Key
	points int // of the grid
	whose  whose
	// point is the one that is being measured, said what was said of its runs.
	point string
	said  remarks
}

// begin says that runs are those of another point.
func (b *prober) begin(point string) { b.point, b.said = point, remarks{} }

func newProber(e Subject, s Grid, p Phase) (*prober, error) {
	if err := s.Validate(p); err != nil {
		return nil, fmt.Errorf("profiling the engine's %s: %w", p, err)
	}
	b := &prober{Grid: s.withDefaults(), engine: e, phase: p, facts: e.Facts()}
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
		case errors.As(err, &dead), errors.Is(err, ErrNotKept), ctx.Err() != nil:
			return err
		default:
			if failed++; failed == giveUp {
				q.Failed = b.named(err)
				return nil
			}
			q.warn("a repeat was left out: " + b.named(err))
		}
	}
	q.Observed = b.said.observed.sum()
	if q.Wide = b.wide(values); q.Wide {
		q.warn(fmt.Sprintf("after %d repeats the 95 %% interval is still ±%.1f %% "+
			"of the mean", len(values), 100*figureOf(values).Share()))
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

// requests are what a run sends: total of a length, atOnce at a time.
type requests struct {
	key                     workload.Key
	total, atOnce, isl, osl int
}

func (q requests) plan() workload.Plan {
	return closed(prompts(q.key, 0, q.total, q.isl, q.osl), q.total, q.atOnce)
}

// prepare makes a run of which no figure is made.
func (b *prober) prepare(ctx context.Context, name string, q requests) error {
	_, err := b.run(ctx, Part{Run: name, Prepares: true}, q)
	return err
}

// repeat makes a run of a point, n counted from 0.
func (b *prober) repeat(ctx context.Context, n int, q requests) (*reading, error) {
	return b.run(ctx, Part{Run: repeatName(n), Cached: b.phase == Decode}, q)
}

// repeatName is the name of a run that a figure is made of, counted from 0.
func repeatName(n int) string { return fmt.Sprintf("repeat_%d", n+1) }

// run drives requests as a part of the point and returns what the sink saw. An
// error of its own says that a reply cannot be used.
func (b *prober) run(ctx context.Context, part Part, q requests) (*reading, error) {
	part.Plan = q.plan()
	part.Section = PointsName(b.phase)
	part.Point = b.point
	part.Anew = b.Journal.attempt() == 0
	part.Tokens = b.whose.source(b.Tokens, b.facts)
	sink := metric.NewCounted(part.Tokens, newReading)
	ran, err := b.engine.Run(ctx, part, sink)
	r, s := sink.Chosen()
	r.name = b.Name
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
	if err := r.fault(q.total, q.osl, b.phase == Decode || b.facts.AttentionDP > 1); err != nil || part.Prepares {
		return r, err
	}
	r.remarks = b.said.add(part.Run, ran)
	r.invalid = b.said.invalid
	return r, nil
}

// named is the text of an error, options by the names that the sweep gives them.
func (s Grid) named(err error) string {
	if s.Name != nil {
		err = fault.Named(err, s.Name)
	}
	return err.Error()
}

// words is a figure for people, scaled to the unit.
func words(f Figure, scale float64, unit string) string {
	return f.In(scale, unit).Within("%.4g") + " " + unit
}
