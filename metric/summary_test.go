package metric

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func readGolden[T any](t *testing.T, name string) T {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// within allows for another order of additions, and 1e-9 where SciPy and gonum
// invert a distribution.
func within(got, want, tolerance float64) bool {
	return got == want || math.Abs(got-want) <= tolerance*math.Abs(want)
}

func TestSummaryAgreesWithNumPy(t *testing.T) {
	type golden struct {
		Values        []float64
		Failed        int
		Avg, Std, Sum float64
		Linear        []float64
		NearestRank   []int `json:"nearest_rank"`
	}
	for _, g := range readGolden[[]golden](t, "testdata/summary.json") {
		s := Summarise(Metric{}, g.Values) // sorts
		if s.Count != len(g.Values) || !within(s.Mean, g.Avg, 1e-14) || !within(s.Std, g.Std, 1e-12) ||
			!within(s.Sum, g.Sum, 1e-14) {
			t.Errorf("n=%d: avg %v std %v sum %v, want %v %v %v", s.Count, s.Mean, s.Std, s.Sum, g.Avg, g.Std, g.Sum)
		}
		if !math.IsNaN(s.MeanLow) || !math.IsNaN(s.MeanHigh) {
			t.Errorf("n=%d: values without an order have the interval %v to %v", s.Count, s.MeanLow, s.MeanHigh)
		}
		a := summariseAdjusted(Metric{}, g.Values, g.Failed)
		for i, p := range percents {
			if q := s.Quantiles[i]; q.Value != g.Linear[i] || !math.IsNaN(q.Low) || !math.IsNaN(q.High) {
				t.Errorf("n=%d p%d: %v in %v to %v, want %v", s.Count, p, q.Value, q.Low, q.High, g.Linear[i])
			}
			want := math.Inf(1)
			if rank := g.NearestRank[i]; rank < len(g.Values) {
				want = g.Values[rank]
			}
			if got := a.Quantiles[i].Value; got != want {
				t.Errorf("n=%d+%d adjusted p%d: %v, want %v", s.Count, g.Failed, p, got, want)
			}
		}
	}
}

func TestFewSamples(t *testing.T) {
	tests := []struct {
		n    int
		want []string
	}{
		{500, nil},
		{499, []string{"p1", "p99"}},
		{100, []string{"p1", "p99"}},
		{99, []string{"p1", "p5", "p95", "p99"}},
		{50, []string{"p1", "p5", "p95", "p99"}}, // 50·0.1 is exactly 5
		{49, []string{"p1", "p5", "p10", "p90", "p95", "p99"}},
		{9, []string{"p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99"}},
	}
	for _, test := range tests {
		if got := fewQuantiles(test.n); !slices.Equal(got, test.want) {
			t.Errorf("n=%d: %v, want %v", test.n, got, test.want)
		}
		var marked []string
		s := Summarise(Metric{}, slices.Repeat([]float64{1}, test.n))
		for i, q := range s.Quantiles {
			if q.Few {
				marked = append(marked, "p"+itoa(percents[i]))
			}
		}
		if !slices.Equal(marked, test.want) {
			t.Errorf("n=%d: marked %v, want %v", test.n, marked, test.want)
		}
	}
}

func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestSummaryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e4), 1, 200).Draw(t, "values")
		shuffled := rapid.Permutation(values).Draw(t, "shuffled")
		a, b := Summarise(Metric{}, slices.Clone(values)), Summarise(Metric{}, shuffled)
		if a.Sum != b.Sum || a.Mean != b.Mean || a.Std != b.Std {
			t.Fatalf("the order of values matters: %+v, %+v", a, b)
		}
		last := a.Min
		for _, q := range a.Quantiles {
			if q.Value < last || q.Value > a.Max {
				t.Fatalf("quantile %+v is out of order in %v", q, values)
			}
			last = q.Value
		}
		failures := rapid.IntRange(1, 50).Draw(t, "failed")
		fewer, more := summariseAdjusted(Metric{}, values, failures), summariseAdjusted(Metric{}, values, failures+1)
		for i, q := range fewer.Quantiles {
			if !math.IsInf(q.Value, 1) && !slices.Contains(values, q.Value) {
				t.Fatalf("adjusted %+v is not a value of the sample", q)
			}
			if more.Quantiles[i].Value < q.Value {
				t.Fatalf("one more failure lowers p%d from %v to %v", percents[i], q.Value, more.Quantiles[i].Value)
			}
		}
	})
}

func TestStatNames(t *testing.T) {
	s := Summarise(Metric{}, []float64{1, 2, 3})
	for name, want := range map[string]float64{"avg": 2, "min": 1, "max": 3, "sum": 6, "count": 3, "p50": 2,
		"std": math.Sqrt(2. / 3)} {
		if got, ok := s.Stat(name); !ok || !within(got, want, 1e-15) {
			t.Errorf("%s is %v %v, want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "p42", "p", "P99", "median"} {
		if got, ok := s.Stat(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
}
