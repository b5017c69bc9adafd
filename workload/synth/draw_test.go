package synth

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"headway/workload"
)

// checkDrawn reports what no drawn trace may have: lengths that do not fit the ids,
// an id after two different prefixes, time going backwards.
func checkDrawn(t *testing.T, m *Model, o Options, n int) []Drawn {
	t.Helper()
	before := map[int64]int64{}
	var rows []Drawn
	last := 0.0
	for d, err := range m.Draw(o) {
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Check(m.BlockSize); err != nil || m.Prefixes != (len(d.HashIDs) > 0) {
			t.Fatalf("row %d: %+v: %v", len(rows), d, err)
		}
		if d.Context+d.Unique != d.InputLength || d.Context < 0 || d.Unique < 0 || d.Timestamp < last || !d.Timed {
			t.Fatalf("row %d: %+v", len(rows), d)
		}
		last = d.Timestamp
		at := int64(-1)
		for _, id := range d.HashIDs {
			if p, there := before[id]; there && p != at {
				t.Fatalf("row %d: block %d follows %d and %d", len(rows), id, p, at)
			}
			before[id] = at
			at = id
		}
		rows = append(rows, d)
	}
	if len(rows) != n {
		t.Fatalf("%d rows, want %d", len(rows), n)
	}
	return rows
}

func TestDrawnRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for i := range 60 {
		rows := randomRows(r, 40, 16)
		limits := Limits{}
		if i%2 == 1 {
			limits = Limits{Nodes: 1 + r.IntN(20), Samples: 1 + r.IntN(40), Gaps: 1}
		}
		m, err := Fit(rows, 16, limits)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Requests: 100, Seed: uint64(i), KeepCorrelation: i%3 == 0, Independent: i%5 == 0,
			Arrivals: Law(i % 3), Shape: 2,
			PrefixLen: r.Float64() * 4, PromptLen: r.Float64() * 4, PrefixRoots: 1 + r.IntN(4),
			Speedup: 1 + r.Float64(), MinOSL: 5, MaxOSL: 20}
		for _, d := range checkDrawn(t, m, o, 100) {
			if d.OutputLength < 5 || d.OutputLength > 20 {
				t.Fatalf("output %d was not clipped", d.OutputLength)
			}
		}
		o.MinISL, o.MaxISL = 30, 90
		for _, d := range checkDrawn(t, m, o, 100) {
			if d.InputLength < 30 || d.InputLength > 90 {
				t.Fatalf("input %d was not dropped", d.InputLength)
			}
		}
	}
}

func TestDrawIsDeterministic(t *testing.T) {
	m, err := Fit(randomRows(rand.New(rand.NewPCG(2, 2)), 50, 4), 4, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Requests: 200, Seed: 1, PrefixRoots: 3}
	a, b := draw(t, m, o), draw(t, m, o)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gives different rows")
	}
	o.Seed = 2
	if reflect.DeepEqual(a, draw(t, m, o)) {
		t.Error("another seed gives the same rows")
	}
	// What is drawn does not depend on how arrivals are.
	o.Seed, o.Arrivals = 1, Gamma
	c := draw(t, m, o)
	for i := range c {
		c[i].Timestamp = a[i].Timestamp
	}
	if !reflect.DeepEqual(a, c) {
		t.Error("another arrival law gives other prompts")
	}
}

func TestSamplers(t *testing.T) {
	w := newDealer([]int{1, 1, 1}, workload.Seed(3), true)
	thirds := [3]int{}
	for range 1000 {
		thirds[w.draw()]++
	}
	for i, n := range thirds {
		if n < 300 || n > 400 {
			t.Errorf("%d was drawn %d times of 1000", i, n)
		}
	}
	for _, independent := range []bool{false, true} {
		d := newDealer([]int{5, 0, 2, 1, 92}, 7, independent)
		got := [5]int{}
		const draws = 100_000
		for range draws {
			got[d.draw()]++
		}
		for i, share := range []float64{0.05, 0, 0.02, 0.01, 0.92} {
			sd := math.Sqrt(share * (1 - share) * draws)
			if !independent {
				sd = 0
			}
			if math.Abs(float64(got[i])-share*draws) > 4*sd {
				t.Errorf("independent %v: %d drawn %d times, want %v", independent, i, got[i], share*draws)
			}
		}
	}
}

func TestForecast(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(8, 8)), 300, 16)
	m, err := Fit(rows, 16, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{Requests: 200}, {Requests: 450, KeepCorrelation: true}, {Requests: 900, PrefixRoots: 3},
		{Requests: 500, PrefixLen: 2.5, PromptLen: 0.7},
		{Requests: 400, Independent: true}, {Requests: 250, MinISL: 40, MaxISL: 100},
		{Requests: 150, PrefixRoots: 2, Independent: true, KeepCorrelation: true},
	} {
		f, err := m.Forecast(o)
		if err != nil {
			t.Fatal(err)
		}
		const repeats = 40
		hits, input := 0.0, 0.0
		for seed := range uint64(repeats) {
			o.Seed = seed
			a, err := Analyze(draw(t, m, o), 16)
			if err != nil {
				t.Fatal(err)
			}
			hits += a.Reuse.HitBlocks / repeats
			input += a.Input.Mean / repeats
		}
		if math.Abs(hits-f.HitBlocks) > 0.01 || math.Abs(percent(input, f.MeanInput)) > 2 {
			t.Errorf("%+v: hits %.4f, forecast %.4f; input %.1f, forecast %.1f", o, hits, f.HitBlocks,
				input, f.MeanInput)
		}
		o.Requests = 60_000
		a, err := Analyze(draw(t, m, o), 16)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.Reuse.HitBlocks-f.LimitBlocks) > 0.01 || math.Abs(a.Reuse.HitTokens-f.LimitTokens) > 0.01 ||
			a.Reuse.HitBlocks > f.LimitBlocks+0.003 {
			t.Errorf("%+v: hits %.4f, limit %.4f; of tokens %.4f, limit %.4f", o, a.Reuse.HitBlocks, f.LimitBlocks,
				a.Reuse.HitTokens, f.LimitTokens)
		}
	}
}

func TestDrawFaults(t *testing.T) {
	m, err := Fit(rowsOf(8, []int64{0, 1}, []int64{0, 2}), 8, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	untimed := []workload.Row{{InputLength: 5}, {InputLength: 6}}
	u, err := Fit(untimed, 8, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		m    *Model
		o    Options
		want []string
	}{
		{"all", m, Options{Requests: -1, Speedup: -2, PrefixLen: math.NaN(), PromptLen: 1e9, PrefixRoots: -1, MinISL: 5,
			MaxISL: 3, MaxOSL: -1, Arrivals: 9, Rate: -1, Shape: 1e-9},
			[]string{"num-requests -1", "speedup-ratio -2", "prefix-len-multiplier NaN", "prompt-len-multiplier 1e+09",
				"prefix-root-multiplier -1",
				"min-isl 5: must be at most max-isl 3", "max-osl -1", "arrival 9", "request-rate -1",
				"arrival-smoothness 1e-09"}},
		{"nothing left", m, Options{MaxISL: 3}, []string{"none of 1000000 rows had an input from 0 to 3 tokens"}},
		{"no times", u, Options{}, []string{"fewer than two timestamps"}},
		{"no rate", u, Options{Arrivals: Poisson}, []string{"has no rate of its own"}},
		{"no shape", u, Options{Arrivals: Gamma, Rate: 1}, []string{"shape"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			n, err := Write(&out, c.m.Draw(c.o))
			if err == nil || n != 0 {
				t.Fatalf("%d rows, error %v", n, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v has no %q", err, want)
				}
			}
		})
	}
	if rows := draw(t, u, Options{Requests: 3, Arrivals: Poisson, Rate: 2}); len(rows) != 3 || rows[0].HashIDs != nil {
		t.Errorf("%+v", rows)
	}
}

func TestArrivalsAreNotRounded(t *testing.T) {
	m, err := Fit(rowsOf(8, []int64{0, 1}, []int64{0, 2}, []int64{0, 3}), 8, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// Gaps of 100 ms at 1000 times the speed are 0.1 ms each.
	rows := draw(t, m, Options{Requests: 1001, Speedup: 1000})
	if got := rows[1000].Timestamp; math.Abs(got-100) > 1e-6 {
		t.Errorf("the last row is at %v ms, want 100", got)
	}
}

func TestWriteCanBeRead(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(4, 4)), 50, 512)
	m, err := Fit(rows, 512, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Requests: 300, Arrivals: Poisson}
	var out bytes.Buffer
	if n, err := Write(&out, m.Draw(o)); n != 300 || err != nil {
		t.Fatal(n, err)
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	var fields map[string]any
	if err := json.Unmarshal([]byte(first), &fields); err != nil || len(fields) != 6 || fields["context_len"] == nil ||
		fields["unique_user_prompt_len"] == nil {
		t.Errorf("%s: %v", first, err)
	}
	trace, err := workload.ReadTrace(&out, "out", workload.TraceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := draw(t, m, o); !reflect.DeepEqual(trace.Rows, want) {
		t.Error("what is read differs from what was drawn")
	}
}

func TestFileName(t *testing.T) {
	for _, c := range []struct {
		in   string
		o    Options
		want string
	}{
		{"a/trace.jsonl", Options{}, "a/trace_synth_1x1+1.0_speedup1.jsonl"},
		{"a.b/trace", Options{PrefixLen: 2, PrefixRoots: 3, PromptLen: 1.5, Speedup: 2.5, MaxISL: 9, MinISL: 1,
			MinOSL: 2, MaxOSL: 3}, "a.b/trace_synth_2x3+1.5_speedup2.5_maxisl9_minisl1_minosl2_maxosl3"},
		{"t.jsonl", Options{OutputLen: 2, MinOSL: 5}, "t_synth_1x1+1.0_speedup1_minosl5_oslx2.0.jsonl"},
	} {
		if got := c.o.FileName(c.in); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
