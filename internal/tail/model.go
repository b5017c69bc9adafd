package tail

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"headway/internal/series"
)

// model is how long a worker's steps take: without prompts by the sequences that
// decode and their context, with prompts so much more.
type model struct {
	decode []float64 // of decodeTerms
	prompt []float64 // of promptTerms
}

func decodeTerms(s *step) []float64 {
	c := s.context / 1e4
	return []float64{1, float64(s.decoding) / 100, c, c * c}
}

func promptTerms(tokens float64) []float64 {
	n := tokens / 1e3
	return []float64{1, n, n * n}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// fit is least squares with a ridge so small that it only decides between terms that
// the data cannot tell apart; nil where it has no answer. Twice, what lies far off is
// left out: steps with prompts that nobody saw.
func fit(terms [][]float64, values []float64) []float64 {
	x, _, _ := fitting(terms, values)
	return x
}

// fitting is fit, with what it took of the terms and values.
func fitting(terms [][]float64, values []float64) ([]float64, [][]float64, []float64) {
	var x []float64
	for range 4 {
		if len(values) < fewest {
			return x, terms, values
		}
		if x = leastSquares(terms, values); x == nil {
			return nil, terms, values
		}
		off := make([]float64, len(values))
		for i := range values {
			off[i] = math.Abs(values[i] - dot(x, terms[i]))
		}
		sorted := slices.Clone(off)
		bound := max(4*middleOf(sorted), 1e-6)
		var keptTerms [][]float64
		var kept []float64
		for i := range values {
			if off[i] <= bound {
				keptTerms, kept = append(keptTerms, terms[i]), append(kept, values[i])
			}
		}
		terms, values = keptTerms, kept
	}
	return x, terms, values
}

func leastSquares(terms [][]float64, values []float64) []float64 {
	n := len(terms[0])
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for k, t := range terms {
		for i := range n {
			b.SetVec(i, b.AtVec(i)+t[i]*values[k])
			for j := range n {
				a.Set(i, j, a.At(i, j)+t[i]*t[j])
			}
		}
	}
	for i := range n {
		a.Set(i, i, a.At(i, i)*(1+1e-9)+1e-9)
	}
	var x mat.VecDense
	if err := x.SolveVec(a, b); err != nil {
		return nil
	}
	return x.RawVector().Data
}

// findModel fits the worker's steps and gives each its time without prompts.
func (w *worker) findModel() {
	var terms [][]float64
	var values []float64
	for j := range w.steps {
		s := &w.steps[j]
		if s.decoding > 0 && len(s.firsts) == 0 && !s.stalled {
			terms, values = append(terms, decodeTerms(s)), append(values, s.end-s.start)
		}
	}
	if len(values) > 0 {
		// Most steps without a first token have no prompt at all.
		sorted := slices.Sorted(slices.Values(values))
		bound := 4 * series.Percentile(sorted, 50)
		terms, values = below(terms, values, bound)
		w.model.decode = fit(terms, values)
		w.noise = noiseOf(w.model.decode, terms, values)
	}
	for j := range w.steps {
		s := &w.steps[j]
		if s.decoding > 0 {
			s.base = w.decodeTime(s)
		}
	}
	w.fitPrompts()
}

// noiseOf is by how much steps without prompts differ from what is fitted to them,
// mostly for the way that chunks take to the client: less than this says nothing of
// what a step was spent on.
func noiseOf(model []float64, terms [][]float64, values []float64) float64 {
	if model == nil {
		return 0
	}
	off := make([]float64, len(values))
	for i := range values {
		off[i] = math.Abs(values[i] - dot(model, terms[i]))
	}
	return mostOff * middleOf(off)
}

// mostOff is how many times the middle deviation is noise: beyond six of them lies one
// value of 60,000 of a normal distribution, and one of 60 of an exponential one.
const mostOff = 6

func below(terms [][]float64, values []float64, bound float64) (t [][]float64, v []float64) {
	for i := range values {
		if values[i] <= bound {
			t, v = append(t, terms[i]), append(v, values[i])
		}
	}
	return t, v
}

// decodeTime is a step's time without prompts, at most what it took.
func (w *worker) decodeTime(s *step) float64 {
	took := s.end - s.start
	if w.model.decode == nil {
		return took
	}
	return min(took, max(0, dot(w.model.decode, decodeTerms(s))))
}

// fitPrompts fits what steps take for prompts: steps that complete some, behind one
// that had none, so that nothing of those was computed before. Where nobody decodes,
// what looks like one step can be several; such are taken where there are few others.
func (w *worker) fitPrompts() {
	terms, values, rates := w.completing(true)
	if len(values) < enough {
		terms, values, rates = w.completing(false)
	}
	if len(values) == 0 {
		w.model.prompt = []float64{0, 0, 0}
		return
	}
	var tokens []float64
	for _, t := range terms {
		tokens = append(tokens, 1e3*t[1])
	}
	slices.Sort(tokens)
	// Beyond lie prompts of which steps before were taken for quiet ones: few, and each
	// of more weight than the rest.
	known := series.Percentile(tokens, 95)
	taken, values := upTo(known, terms, values)
	if w.model.prompt, taken, values = fitting(taken, values); !usable(w.model.prompt) {
		w.model.prompt = straight(taken, values)
	}
	if !usable(w.model.prompt) {
		w.model.prompt = []float64{0, 1e3 * middleOf(rates), 0}
	}
	w.bend(known)
}

// upTo are those of at most so many tokens.
func upTo(tokens float64, terms [][]float64, values []float64) (t [][]float64, v []float64) {
	for i := range values {
		if 1e3*terms[i][1] <= tokens {
			t, v = append(t, terms[i]), append(v, values[i])
		}
	}
	return t, v
}

// straight fits without the square of the tokens, of which short prompts may tell
// nothing, or the opposite.
func straight(terms [][]float64, values []float64) []float64 {
	if len(values) < fewest {
		return nil
	}
	short := make([][]float64, len(terms))
	for i, t := range terms {
		short[i] = t[:2]
	}
	if m := leastSquares(short, values); m != nil {
		return append(m, 0)
	}
	return nil
}

// fewest is how many steps a fit is of at least, enough how many are not few.
const fewest, enough = 4, 20

// completing are the terms of steps that complete prompts behind one without any, what
// they took, and that for a token.
func (w *worker) completing(decoding bool) (terms [][]float64, values, rates []float64) {
	for j := range w.steps {
		s := &w.steps[j]
		if len(s.firsts) == 0 || s.stalled || decoding && s.decoding == 0 || !w.quietBefore(j) {
			continue
		}
		tokens := 0.0
		for _, q := range s.firsts {
			tokens += q.need()
		}
		took := s.prompts()
		terms, values, rates = append(terms, promptTerms(tokens)), append(values, took), append(rates, took/tokens)
	}
	return terms, values, rates
}

// quietBefore says that the step before one computed no prompt.
func (w *worker) quietBefore(j int) bool {
	if j == 0 || w.steps[j].start > w.steps[j-1].end {
		return true
	}
	return w.quiet(&w.steps[j-1])
}

// quiet says that a step computed no prompt.
func (w *worker) quiet(s *step) bool {
	return len(s.firsts) == 0 && s.prompts() < max(0.25*s.base, w.noise)
}

// promptTime is what a step takes for so many tokens of prompts.
func (m model) promptTime(tokens float64) float64 {
	if tokens <= 0 {
		return 0
	}
	return dot(m.prompt, promptTerms(tokens))
}

// promptTokens is how many tokens of prompts take so long; 0 where it is too short
// for any.
func (m model) promptTokens(took float64) float64 {
	a, b, c := m.prompt[0]-took, m.prompt[1], m.prompt[2]
	switch {
	case a >= 0 || b <= 0:
		return 0
	case c < 1e-12:
		return 1e3 * -a / b
	}
	return 1e3 * (math.Sqrt(b*b-4*a*c) - b) / (2 * c)
}
