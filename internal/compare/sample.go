package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/metric"
	"headway/report"
)

// gap is why a figure of a side has no interval. One that is fatal stands against any
// decision, however many runs there are.
type gap struct {
	reason metric.Reason
	text   string // instead of the reason
	fatal  bool
}

// sampleOf are the values of a figure on one side, and why they decide nothing or have
// no interval within a run.
func sampleOf(p *point, f metric.Figure) (s sample, why gap) {
	if p.first().report.Invalid() { // all are: see valid
		return s, gap{fatal: true, text: "the client was the bottleneck, so that the figures are not the server's"}
	}
	if p.silent(f) {
		return s, gap{fatal: true, text: "every request of a run failed"}
	}
	seeds := map[uint64]bool{}
	for _, r := range p.runs {
		e := r.value(f)
		switch {
		case math.IsNaN(e.Value):
			continue
		case math.IsInf(e.Value, 0):
			return s, gap{reason: "infinite", fatal: true}
		case e.AtLeast:
			return s, gap{reason: metric.CutOff, fatal: true}
		case !(e.Value > 0):
			return s, gap{text: fmt.Sprintf("a change of %g is no ratio", e.Value), fatal: true}
		}
		if low := e.Low; e.Why == "" && !(low > 0) && !math.IsNaN(low) {
			e.Low = math.Inf(-1) // what is known has no lower end but zero
		} else {
			e.Low = math.Log(e.Low)
		}
		seeds[r.report.Run.Seed] = true
		s.seeds = len(seeds)
		s.logs = append(s.logs, math.Log(e.Value))
		s.lows, s.highs = append(s.lows, e.Low), append(s.highs, math.Log(e.High))
		if e.Why != "" && why.reason == "" {
			why.reason = e.Why
		}
		if math.IsNaN(e.Low) && e.Why == "" {
			why.text = "it has no interval within a run (compare several runs a side)"
		}
	}
	if s.n() == 0 {
		why = gap{text: "it was not measured", fatal: true}
	}
	return s, why
}

// because says why a figure is not decided, of both sides, and what to do about it;
// empty where nothing stands against it.
func because(a, b gap) string {
	var parts []string
	for i, g := range []gap{a, b} {
		if (a.fatal || b.fatal) && !g.fatal {
			continue
		}
		what, remedy := metric.Because(g.reason)
		if g.text != "" {
			what, remedy = g.text, ""
		}
		if what == "" {
			continue
		}
		if remedy != "" {
			what += " (" + remedy + ")"
		}
		parts = append(parts, []string{"first side: ", "second side: "}[i]+what)
	}
	if len(parts) == 2 && parts[0][len("first side: "):] == parts[1][len("second side: "):] {
		return strings.TrimPrefix(parts[0], "first side: ")
	}
	return strings.Join(parts, "; ")
}

// figure is what tables show of a side: of one run its figure, of several the
// geometric mean with Student's interval on the logarithms.
func (p *point) figure(f metric.Figure) report.Figure {
	if len(p.runs) == 1 {
		return p.first().value(f)
	}
	out := report.Exact(math.NaN())
	var values []float64
	for _, r := range p.runs {
		if e := r.value(f); !math.IsNaN(e.Value) {
			values = append(values, e.Value)
			out.Unit = e.Unit
		}
	}
	if len(values) > 0 {
		out.Value, out.Low, out.High = metric.RatioOfRuns(values)
	}
	return out
}

// plainMean is the value of one run with its interval, or the mean over several with
// Student's.
func (p *point) plainMean(f metric.Figure) report.Figure {
	if len(p.runs) == 1 {
		return p.first().value(f)
	}
	out := p.figure(f)
	var values []float64
	for _, r := range p.runs {
		e := r.value(f)
		values = append(values, e.Value)
		out.AtLeast = out.AtLeast || e.AtLeast
	}
	out.Value, out.Low, out.High = metric.MeanOfRuns(values)
	return out
}

// warningsOf are what a reader of the changes must know of the points.
func warningsOf(pairs []pair) (all []string) {
	for _, p := range pairs {
		_, aOut := p.a.first().lengths()
		_, bOut := p.b.first().lengths()
		if apartBy(aOut, bOut) > margin {
			all = append(all, fmt.Sprintf("%s: the replies have %.0f and %.0f tokens on average; latencies and "+
				"throughput are of different work (see --ignore-eos)", p.a.label(), aOut, bOut))
		}
		aShare, bShare := p.a.failed(), p.b.failed()
		if aShare > 0 || bShare > 0 {
			all = append(all, fmt.Sprintf("%s: %.3g %% and %.3g %% of the requests failed", p.a.label(), aShare,
				bShare))
		}
		for _, q := range []*point{p.a, p.b} {
			for _, r := range q.runs {
				if !r.report.Complete() {
					all = append(all, fmt.Sprintf("%s is of a run that did not come to its end; its figures are of "+
						"what was measured until then", r.path))
				}
			}
		}
	}
	return all
}

// absent are the figures asked for by name that no point has, and points without any.
func (o Options) absent(points []Point) (all []string) {
	for _, f := range o.Figures {
		of := func(c Change) bool { return c.Figure == f }
		if o.named && !slices.ContainsFunc(points, func(p Point) bool { return slices.ContainsFunc(p.Figures, of) }) {
			all = append(all, f.String()+": neither side has it at any load")
		}
	}
	for _, p := range points {
		if len(p.Figures) == 0 && !o.named {
			all = append(all, p.Name+": neither side has any of the figures")
		}
	}
	return all
}

// margin is by which share outputs may differ without a word.
const margin = 0.05

// valid leaves out the runs in which the client was the bottleneck, but for points that
// have no others, and says which.
func valid(points []*point) (left []string) {
	invalid := func(r run) bool { return r.report.Invalid() }
	for _, p := range points {
		if !slices.ContainsFunc(p.runs, func(r run) bool { return !invalid(r) }) {
			continue
		}
		before := len(p.runs)
		p.runs = slices.DeleteFunc(p.runs, invalid)
		if n := before - len(p.runs); n > 0 {
			left = append(left, fmt.Sprintf("%s: %d of %d runs are left out, since the client was the bottleneck",
				p.label(), n, before))
		}
	}
	return left
}

// failed is the share of requests that failed, in percent, over all runs.
func (p *point) failed() float64 {
	failed, all := 0, 0
	for _, r := range p.runs {
		failed += r.report.Result.Failed
		all += r.report.Result.OK + r.report.Result.Failed
	}
	return 100 * float64(failed) / float64(max(1, all))
}
