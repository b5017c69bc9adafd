package duel

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"headway/internal/compare"
	"headway/metric"
	"headway/report"
)

// Block is one comparison: both sides under the same requests.
type Block struct {
	Number  int  `json:"block"`
	BFirst  bool `json:"b_first"`
	A, B    []Value
	Dropped string `json:"not_counted,omitempty"` // why it does not count
}

// Rules say how a duel is decided.
type Rules struct {
	Figures []Figure
	// Margin is the largest change, as a share, that counts as the same, and Points
	// the largest difference of shares, 0 to 1.
	Margin, Points float64
	// Level is the confidence of all intervals together, such as 0.95.
	Level float64
	// Most is how many blocks there are at most.
	Most int
}

// Ruling is what is known of a figure: when it was decided, or now.
type Ruling struct {
	Figure Figure
	Word   compare.Word
	// Blocks is how many blocks count in it. A, B and Change are of these blocks:
	// the change in percent, or in percentage points of a share.
	Blocks       int
	A, B, Change report.Figure
	// Need is how many blocks it would take in all, if the blocks to come vary as
	// those before and the change stays what it is; 0 where that is not known.
	Need int
	// Why says what keeps the figure from being decided.
	Why string
}

// Referee decides after every block.
type Referee struct {
	Rules
	Blocks  []Block // in order, those that do not count too
	Rulings []Ruling
}

// NewReferee begins a duel.
func NewReferee(r Rules) *Referee {
	r.Figures = slices.Clone(r.Figures)
	ref := &Referee{Rules: r, Rulings: make([]Ruling, len(r.Figures))}
	for i, f := range r.Figures {
		ref.Rulings[i] = unknown(f, "no block counts")
	}
	return ref
}

// unknown is what is known of a figure without blocks.
func unknown(f Figure, why string) Ruling {
	none := report.Exact(math.NaN())
	return Ruling{Figure: f, Word: compare.NotDecided, A: none, B: none, Change: none, Why: why}
}

// Add takes a block. The first one only sets the thresholds of quantiles, where there
// are some: a threshold that came of the blocks it is held against would not be fixed.
func (r *Referee) Add(number int, bFirst bool, a, b Observed) {
	one := Block{Number: number, BFirst: bFirst}
	pilot := r.fix(a, b)
	for i, f := range r.Figures {
		va, vb := f.of(a), f.of(b)
		one.A, one.B = append(one.A, va), append(one.B, vb)
		if pilot && f.Quantile > 0 { // its own threshold
			one.A[i].Value, one.B[i].Value = math.NaN(), math.NaN()
		}
	}
	r.Blocks = append(r.Blocks, one)
	r.rule()
}

// Drop takes a block that does not count.
func (r *Referee) Drop(number int, bFirst bool, why string) {
	r.Blocks = append(r.Blocks, Block{Number: number, BFirst: bFirst, Dropped: why})
}

// fix sets thresholds that are not known; false where all were.
func (r *Referee) fix(a, b Observed) (fixed bool) {
	for i := range r.Figures {
		f := &r.Figures[i]
		if f.Quantile == 0 || !math.IsNaN(f.Threshold) {
			continue
		}
		all := append(slices.Clone(a.Samples(f.Tag)), b.Samples(f.Tag)...)
		for range a.Failed() + b.Failed() {
			all = append(all, math.Inf(1))
		}
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		at := metric.Percentile(all, 100*f.Quantile)
		if math.IsInf(at, 0) || math.IsNaN(at) {
			continue // so many failed; another block tells it
		}
		f.Threshold, fixed = at, true
		r.Rulings[i].Figure = *f
	}
	return fixed
}

// rule finds the words of what is not decided.
func (r *Referee) rule() {
	alpha := (1 - r.Level) / float64(len(r.Figures))
	for i := range r.Rulings {
		if r.Rulings[i].Word == compare.NotDecided {
			r.Rulings[i] = r.ruling(i, alpha)
		}
	}
}

// pairs are the values of a figure in the blocks that have it on both sides.
func (r *Referee) pairs(i int) (a, b []Value, blocks []Block) {
	for _, k := range r.Blocks {
		if k.Dropped == "" && !math.IsNaN(k.A[i].Value) && !math.IsNaN(k.B[i].Value) {
			a, b, blocks = append(a, k.A[i]), append(b, k.B[i]), append(blocks, k)
		}
	}
	return a, b, blocks
}

// ruling is what is known of a figure now.
func (r *Referee) ruling(i int, alpha float64) Ruling {
	f := r.Figures[i]
	a, b, _ := r.pairs(i)
	if len(a) == 0 {
		return unknown(f, "no block has it on both sides")
	}
	out := unknown(f, "")
	out.Blocks = len(a)
	diffs, bad := f.differences(a, b)
	if bad != "" {
		out.Why = bad
		return out
	}
	mean, reach := Interval(diffs, alpha, f.floor(a, b))
	bound := math.Log1p(r.Margin)
	if f.Kind == Share {
		bound = r.Points
	}
	out.A, out.B, out.Change = f.shown(a), f.shown(b), f.change(mean, reach)
	out.Word = compare.Said(mean-reach, mean+reach, bound, f.better())
	if _, variance := stat.MeanVariance(diffs, nil); out.Word == compare.NotDecided && len(diffs) > 1 {
		out.Need = needed(math.Abs(mean), bound, math.Sqrt(max(variance, f.floor(a, b))), alpha)
	}
	return out
}

// differences are those of b to a; bad says why there are none.
func (f Figure) differences(a, b []Value) (all []float64, bad string) {
	for i := range a {
		d := b[i].Value - a[i].Value
		if f.Kind == Ratio {
			d = math.Log(b[i].Value / a[i].Value)
		}
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return nil, fmt.Sprintf("a change from %g to %g is no ratio (decide a share of requests, "+
				"such as %s)", a[i].Value, b[i].Value, fraction)
		}
		all = append(all, d)
	}
	return all, ""
}

// floor is a bound from below on the variance of a difference of shares: that of as
// many independent requests with the share of all blocks, one more on each side of the
// threshold. Without it blocks in which nothing was above would prove that nothing
// ever is. A ratio has none.
func (f Figure) floor(a, b []Value) float64 {
	if f.Kind != Share {
		return 0
	}
	return binomial(a) + binomial(b)
}

// binomial is the mean variance of a share in one block.
func binomial(side []Value) float64 {
	hits, all := 1.0, 2.0
	for _, v := range side {
		hits += v.Value * float64(v.Of)
		all += float64(v.Of)
	}
	p, sum := hits/all, 0.0
	for _, v := range side {
		sum += p * (1 - p) / float64(max(1, v.Of))
	}
	return sum / float64(len(side))
}

// shown is a side's value over blocks: of ratios the geometric mean.
func (f Figure) shown(side []Value) report.Figure {
	sum := 0.0
	for _, v := range side {
		if f.Kind == Ratio {
			sum += math.Log(v.Value)
		} else {
			sum += 100 * v.Value
		}
	}
	sum /= float64(len(side))
	out := report.Exact(sum)
	out.Unit = "%"
	if f.Kind == Ratio {
		m, _ := metric.Lookup(f.Tag)
		out.Value, out.Unit = math.Exp(sum), m.Unit
	}
	return out
}

// change is a difference as tables show it: in percent, of shares in points.
func (f Figure) change(mean, reach float64) report.Figure {
	out := report.Exact(math.NaN())
	scale := func(x float64) float64 { return 100 * math.Expm1(x) }
	out.Unit = "%"
	if f.Kind == Share {
		scale, out.Unit = func(x float64) float64 { return 100 * x }, "points"
	}
	out.Value = scale(mean)
	if !math.IsInf(reach, 0) {
		out.Low, out.High = scale(mean-reach), scale(mean+reach)
	}
	return out
}

// mostBlocks bounds what is said to be needed.
const mostBlocks = 100_000

// needed is how many blocks decide a mean at that distance from 0, where one block has
// that standard deviation: by excluding 0, or by lying within the bound.
func needed(mean, bound, sd, alpha float64) int {
	reach := max(mean, bound-mean)
	enough := func(n int) bool { return standardErrors(n, alpha)*sd/math.Sqrt(float64(n)) < reach }
	n := fewest
	for ; n < mostBlocks && !enough(n); n += max(1, n/50) {
	}
	return min(n, mostBlocks)
}

// Decided says that every figure is.
func (r *Referee) Decided() bool {
	return !slices.ContainsFunc(r.Rulings, func(x Ruling) bool { return x.Word == compare.NotDecided })
}

// Worse says that a figure of B is proven to be worse.
func (r *Referee) Worse() bool {
	return slices.ContainsFunc(r.Rulings, func(x Ruling) bool { return x.Word == compare.Worse })
}

// Counted is how many blocks count.
func (r *Referee) Counted() (n int) {
	for _, b := range r.Blocks {
		if b.Dropped == "" {
			n++
		}
	}
	return n
}
