package profile

import (
	"math"

	"headway/internal/model"
)

// forecast is what the roofline says of the candidates of a phase. All times
// are before any correction; a factor says how much slower a candidate is.
type forecast struct {
	space  Space
	target float64 // seconds
	of     map[Candidate]*foreseen
}

// foreseen is the forecast of a candidate.
type foreseen struct {
	c     Candidate
	line  *model.Roofline
	ranks int
	gpus  float64
	most  int // the largest concurrency
}

func newForecast(s Space, target float64, list []Candidate) (*forecast, error) {
	f := &forecast{space: s, target: target, of: map[Candidate]*foreseen{}}
	for _, c := range list {
		setup := s.Setup(c)
		line, err := setup.Roofline()
		if err != nil {
			return nil, err
		}
		facts, err := s.Facts(c)
		if err != nil {
			return nil, err
		}
		x := &foreseen{c: c, line: line, ranks: max(c.Mapping.AttentionDP(), 1), gpus: float64(c.Mapping.GPUs())}
		if x.most, err = mostConcurrent(facts, s); err != nil {
			x.most = x.ranks
		}
		f.of[c] = x
	}
	return f, nil
}

// ttft is the time of one prompt, in chunks where it is longer than a step.
func (f *forecast) ttft(x *foreseen) float64 {
	total := 0.0
	for at := 0; at < f.space.ISL; at += PrefillMaxTokens {
		n := min(PrefillMaxTokens, f.space.ISL-at)
		total += x.line.StepTime(n, model.PrefillContext(at, n), 0, 0).Seconds()
	}
	return total
}

// itl is the time of a step with n sequences that are half-way through their
// replies.
func (f *forecast) itl(x *foreseen, n int) float64 {
	each := max(n/x.ranks, 1)
	return x.line.StepTime(0, 0, each, each*(f.space.ISL+f.space.OSL/2)).Seconds()
}

// factors are the logarithms of measured over forecast latency, one for each
// candidate that was measured: that of its trial nearest the target.
func (f *forecast) factors(outcomes []Outcome) []float64 {
	var logs []float64
	for _, o := range outcomes {
		c, err := o.Candidate()
		if x := f.of[c]; err == nil && x != nil && len(o.Trials) > 0 {
			logs = append(logs, math.Log(f.factor(x, f.nearest(x, o.Trials))))
		}
	}
	return logs
}

// nearest is the trial whose latency is nearest the target.
func (f *forecast) nearest(x *foreseen, trials []Trial) Trial {
	best := trials[0]
	off := func(t Trial) float64 { return math.Abs(math.Log(t.latency(x.c.Phase).Mean / f.target)) }
	for _, t := range trials {
		if off(t) < off(best) {
			best = t
		}
	}
	return best
}

// factor is measured over forecast latency of a trial.
func (f *forecast) factor(x *foreseen, t Trial) float64 {
	if x.c.Phase == Prefill {
		return t.TTFT.Mean / f.ttft(x)
	}
	return t.ITL.Mean / f.itl(x, t.Concurrency)
}

// score orders outcomes: throughput per GPU where the target is met, and
// otherwise how far it is missed, below zero.
func (f *forecast) score(latency, throughput float64) float64 {
	if latency <= f.target {
		return throughput
	}
	return -latency
}

// best is the score that a candidate reaches when it is slower than the
// roofline by a factor, and for a decode worker the concurrency of it.
func (f *forecast) best(x *foreseen, factor float64) (score float64, n int) {
	if x.c.Phase == Prefill {
		t := f.ttft(x) * factor
		return f.score(t, float64(f.space.ISL*x.ranks)/t/x.gpus), x.ranks
	}
	n = f.largest(x, factor, f.target)
	t := f.itl(x, n) * factor
	return f.score(t, float64(n)/t/x.gpus), n
}

// largest is the largest concurrency, a multiple of the ranks, whose ITL times
// the factor is at most the bound; one sequence a rank where none is.
func (f *forecast) largest(x *foreseen, factor, bound float64) int {
	lo, hi := 1, x.most/x.ranks+1 // lo is taken without asking, hi is too many
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if f.itl(x, mid*x.ranks)*factor <= bound {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo * x.ranks
}

// breakEven is the largest factor at which a candidate still scores more than
// so much, as a logarithm; −∞ where none does. A higher factor never scores
// more.
func (f *forecast) breakEven(x *foreseen, score float64) float64 {
	lo, hi := -4.0, 4.0
	above := func(l float64) bool { s, _ := f.best(x, math.Exp(l)); return s > score }
	if !above(lo) {
		return math.Inf(-1)
	}
	for range 40 {
		if mid := (lo + hi) / 2; above(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// belief is what is held of the factors of candidates that were not measured:
// the logarithm of each is normal, the sum of a scale that all share and an
// error of its own.
type belief struct {
	mean, own, shared float64 // own and shared are standard deviations
}

// scaleError is the standard deviation of the logarithm of the common scale
// before anything was measured: the roofline's efficiencies are assumptions,
// and off by a third as often as not less.
const scaleError = 0.35

// learn is the belief after the factors of some candidates were measured.
// modelError is the bound of a uniform error, whose standard deviation is a
// √3rd of it. Where what was measured scatters more than that, it is believed.
func learn(logs []float64, modelError float64) belief {
	own := modelError / math.Sqrt(3)
	if f := figureOf(logs); len(logs) > 2 {
		own = max(own, f.Std)
	}
	precision := 1/(scaleError*scaleError) + float64(len(logs))/(own*own)
	sum := 0.0
	for _, l := range logs {
		sum += l / (own * own)
	}
	return belief{mean: sum / precision, own: own, shared: math.Sqrt(1 / precision)}
}

// below is the probability that the factor of a candidate is below exp(l).
func (b belief) below(l float64) float64 {
	return 0.5 * math.Erfc(-(l-b.mean)/math.Hypot(b.own, b.shared)/math.Sqrt2)
}
