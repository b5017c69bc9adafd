package twin

import (
	"math"
	"strings"
	"testing"
	"time"

	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/record"
)

// calibrated is a file with intervals of one figure.
func calibrated() *File {
	f := whole()
	f.Range = Range{ISL: [2]int{100, 1000}, OSL: [2]int{10, 100}, InFlight: [2]int{1, 64}}
	f.Uncertainty = &Uncertainty{Parameters: ParameterNames(), Residuals: map[string][]float64{}}
	for i := range Parameters {
		row := make([]float64, i+1)
		row[i] = 0.01
		f.Uncertainty.Covariance = append(f.Uncertainty.Covariance, row)
	}
	for i := range 20 {
		f.Uncertainty.Residuals["time_to_first_token p99"] = append(f.Uncertainty.Residuals["time_to_first_token p99"],
			float64(i)/100)
	}
	return f
}

func TestCalibration(t *testing.T) {
	f := calibrated()
	c := cluster.Defaults()
	f.Apply(&c)
	figure := func(stat string, of cluster.Extent) record.ForetoldFigure {
		r := record.ForetoldFigure{Metric: "time_to_first_token", Stat: stat, Value: 100}
		c.Calibration.Interval(&r, 0.01, of, c)
		return r
	}
	inside := cluster.Extent{ISL: [2]int{200, 800}, OSL: [2]int{20, 50}, InFlight: 8}
	near := figure("p99", inside)
	if near.Level != Level || near.Why != "" || !(near.Low < 100 && near.High > 100) {
		t.Errorf("inside: %+v", near)
	}
	far := inside
	far.ISL[1], far.Cached = 4000, 0.5
	if r := figure("p99", far); r.High <= near.High {
		t.Errorf("outside: %+v, inside: %+v", r, near)
	}
	if said := c.Calibration.Beyond(far); len(said) != 2 || !strings.Contains(said[1], "50 % of the prompt tokens") {
		t.Errorf("%q", said)
	}
	if r := figure("avg", inside); r.Why == "" || r.High != 0 {
		t.Errorf("a figure without residuals: %+v", r)
	}
	changed := cluster.Defaults()
	changed.Engine.MaxNumSeqs = 7
	f.Apply(&changed)
	r := record.ForetoldFigure{Metric: "time_to_first_token", Stat: "p99", Value: 100}
	if changed.Calibration.Interval(&r, 0, inside, changed); !strings.Contains(r.Why, "the requests of a batch") {
		t.Errorf("another batch: %+v", r)
	}
	// What is set after the times are counts, too.
	c.Tiers, c.Frontend = []cluster.TierConfig{{}}, time.Millisecond
	c.Engine.Speculation.Tokens, c.Engine.MaxLoras = 2, 1
	if r := figure("p99", inside); r.High != 0 || !strings.Contains(r.Why,
		"speculative decoding, slots for adapters, tiers of the KV cache, a delay in front") {
		t.Errorf("other stages: %+v", r)
	}
}

// Draws differ from each other, and are the same in each call.
func TestDraws(t *testing.T) {
	f := calibrated()
	a, b := f.Draw(3), f.Draw(3)
	for i := range a {
		if *a[i] != *b[i] || *a[i] == f.Model || i > 0 && *a[i] == *a[i-1] {
			t.Errorf("draw %d: %+v and %+v", i, a[i], b[i])
		}
	}
	f.Uncertainty = nil
	if m := f.Draw(1)[0]; *m != f.Model {
		t.Errorf("without a covariance: %+v", m)
	}
	c := cluster.Defaults()
	calibrated().Apply(&c)
	for _, d := range c.Calibration.Draws(c) {
		if err := d.Validate(); err != nil || d.Seed == c.Seed || d.Calibration != nil {
			t.Errorf("%v, %+v", err, d)
		}
	}
}

// A covariance that lost a digit is drawn from as it was; one that is none is refused.
func TestCovarianceOfRoundedNumbers(t *testing.T) {
	f := calibrated()
	c := f.Uncertainty.Covariance
	c[1][0] = 0.01 * (1 + 1e-7) // the first two parameters together, to more digits than there are
	spread := func() (sum float64) {
		for _, m := range f.Draw(100) {
			sum += math.Pow(math.Log(m.Compute/f.Model.Compute), 2) / 100
		}
		return math.Sqrt(sum)
	}
	var bad fault.List
	if f.Uncertainty.validate(&bad); bad.Err() != nil || spread() < 0.08 || spread() > 0.12 {
		t.Errorf("%v, standard deviation %v, want 0.1", bad.Err(), spread())
	}
	c[1][0] = 0.02
	if f.Uncertainty.validate(&bad); bad.Err() == nil || !strings.Contains(bad.Err().Error(), "a variance below 0") {
		t.Errorf("%v", bad.Err())
	}
}

// Waves are in doubt where the thread and the GPU are equally busy, and only there.
func TestWaves(t *testing.T) {
	m := Usual
	for n, doubted := range map[int]bool{8: false, 128: true, 2000: false} {
		m.Weights, m.KV, m.Sequence = 9, 1, 1
		if got := m.Waves(n, 1000); (len(got) > 0) != doubted {
			t.Errorf("%d in flight: %v", n, got)
		}
	}
}
