package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestProductLimitAgreesWithSciPy(t *testing.T) {
	type golden struct {
		Values    []float64
		Cut       []bool
		Quantiles []*float64
	}
	for _, g := range readGolden[[]golden](t, "testdata/censored.json") {
		p := population{values: g.Values, cut: g.Cut}
		s := p.summary(Metric{}, 1)
		for i, want := range g.Quantiles {
			q := s.Quantiles[i]
			switch {
			case want == nil && (!q.AtLeast || q.Value != slices.Max(g.Values)):
				t.Errorf("n=%d p%d: %+v, want at least %v", len(g.Values), percents[i], q, slices.Max(g.Values))
			case want != nil && (q.AtLeast || q.Value != *want):
				t.Errorf("n=%d p%d: %+v, want %v", len(g.Values), percents[i], q, *want)
			}
		}
	}
}

// Failed requests never come to an end: they are neither an event nor a share
// that others inherit.
func TestFailedAmongThoseCutOff(t *testing.T) {
	inf := math.Inf(1)
	p := population{values: []float64{1, 2, 3, 4, 5, 6, 7, 8, inf, inf}, cut: make([]bool, 10), failed: 2}
	p.cut[7] = true
	s := p.summary(Metric{}, 1)
	for percent, want := range map[int]Quantile{
		50: {Value: 5},
		75: {Value: 8, AtLeast: true}, // the one cut off at 8 could be either
		90: {Value: inf},
		99: {Value: inf},
	} {
		q, _ := s.Quantile(percent)
		if q.Value != want.Value || q.AtLeast != want.AtLeast {
			t.Errorf("p%d: %+v, want %+v", percent, q, want)
		}
	}
	if !math.IsInf(s.Mean, 1) || s.MeanAtLeast || s.Failed != 2 || s.Cut != 1 {
		t.Errorf("%+v", s)
	}
}

// Requests come in clusters of ten that meet the same queue. Of 300 runs with a
// tenth cut off, the interval of the median must hold the true one in about
// 95 %: an interval that takes requests as independent holds it in half.
func TestIntervalOfWhatIsCutOffKnowsClusters(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	held, runs := 0, 300
	if testing.Short() {
		runs = 100
	}
	for range runs {
		p := population{}
		for range 60 {
			shared := random.NormFloat64()
			for range 10 {
				v := math.Exp(shared + 0.3*random.NormFloat64())
				limit := 20 * random.Float64()
				p.values, p.cut = append(p.values, min(v, limit)), append(p.cut, v > limit)
			}
		}
		q, _ := p.summary(Metric{}, 10).Quantile(50)
		if q.Low <= 1 && 1 <= q.High {
			held++
		}
	}
	if share := float64(held) / float64(runs); share < 0.88 {
		t.Errorf("held it in %.3f of runs", share)
	}
}
