package chart

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// numbers are the texts of the ticks that have one.
func numbers(ticks []tick) string {
	var out []string
	for _, t := range ticks {
		if t.text != "" {
			out = append(out, t.text)
		}
	}
	return strings.Join(out, " ")
}

// scaleCases are the cases of TestScale.
var scaleCases = []struct {
	name  string
	axis  Axis
	data  []float64
	lines []float64
	x     bool
	ticks string
}{
	{name: "from zero", data: []float64{42, 660}, ticks: "0 100 200 300 400 500 600 700"},
	{name: "small", data: []float64{0.001, 0.0042}, ticks: "0 0.001 0.002 0.003 0.004 0.005"},
	{name: "quarters", data: []float64{1400}, ticks: "0 250 500 750 1,000 1,250 1,500"},
	{name: "both signs", data: []float64{-3, 3}, ticks: "−4 −3 −2 −1 0 1 2 3 4"},
	{name: "negative hangs from zero", data: []float64{-50, -100}, ticks: "−120 −100 −80 −60 −40 −20 0"},
	{name: "all zero", data: []float64{0, 0}, ticks: "0 0.2 0.4 0.6 0.8 1.0 1.2"},
	{name: "X away from zero", x: true, data: []float64{1001, 1030},
		ticks: "995 1,000 1,005 1,010 1,015 1,020 1,025 1,030 1,035"},
	{name: "X that agrees", x: true, data: []float64{19.997, 20.004}, ticks: "17 18 19 20 21 22 23"},
	{name: "X that agrees below zero", x: true, data: []float64{-101, -100},
		ticks: "−115 −110 −105 −100 −95 −90 −85"},
	{name: "X near zero", x: true, data: []float64{30, 150}, ticks: "0 20 40 60 80 100 120 140 160"},
	{name: "one X", x: true, data: []float64{120}, ticks: "0 20 40 60 80 100 120 140"},
	{name: "fixed", axis: Axis{Min: 10, Max: 20}, data: []float64{1, 100}, ticks: "10 12 14 16 18 20"},
	{name: "half fixed", axis: Axis{Min: math.NaN(), Max: 93}, data: []float64{41, 80}, ticks: "0 20 40 60 80"},
	{name: "other half fixed", axis: Axis{Min: 7, Max: math.NaN()}, data: []float64{41, 80}, ticks: "20 40 60 80 100"},
	{name: "fixed above the data", axis: Axis{Min: 200, Max: math.NaN()}, data: []float64{1, 100},
		ticks: "200 250 300 350 400"},
	{name: "fixed below the data", axis: Axis{Min: math.NaN(), Max: -5}, data: []float64{1, 100},
		ticks: "−10 −9 −8 −7 −6 −5"},
	{name: "a target is shown", data: []float64{100}, lines: []float64{300}, ticks: "0 50 100 150 200 250 300 350"},
	{name: "a far target is not", data: []float64{100}, lines: []float64{1000}, ticks: "0 20 40 60 80 100 120"},
	{name: "a target alone", lines: []float64{100}, ticks: "0 20 40 60 80 100 120"},
	{name: "nothing", ticks: ""},
	{name: "given", axis: Axis{Values: []float64{5, 1, 5, 250}}, data: []float64{50}, ticks: "1 5 250"},
	{name: "given and fixed", axis: Axis{Values: []float64{1, 5, 250}, Min: 2, Max: 300}, data: []float64{50},
		ticks: "5 250"},
	{name: "log", axis: Axis{Log: true}, data: []float64{1, 250}, ticks: "1 2 5 10 20 50 100 200"},
	{name: "log over eight decades", axis: Axis{Log: true}, data: []float64{0.001, 1e5},
		ticks: "0.001 0.01 0.1 1 10 100 1,000 10,000 100,000"},
	{name: "log over twenty decades", axis: Axis{Log: true}, data: []float64{1e-10, 1e10},
		ticks: "1e-10 1e-8 0.000001 0.0001 0.01 1 100 10,000 1,000,000 100,000,000 10,000,000,000"},
	{name: "log within a decade", axis: Axis{Log: true}, data: []float64{210, 240},
		ticks: "180 200 220 240 260 280"},
	{name: "log, one value", axis: Axis{Log: true}, data: []float64{7}, ticks: "6.0 6.5 7.0 7.5 8.0"},
	{name: "log, fixed above the data", axis: Axis{Log: true, Min: 100, Max: math.NaN()}, data: []float64{7},
		ticks: "100 200 500 1,000"},
	{name: "log, a target", axis: Axis{Log: true}, data: []float64{10, 20}, lines: []float64{1000},
		ticks: "10 20 50 100 200 500 1,000"},
	{name: "log, a far target", axis: Axis{Log: true}, data: []float64{10, 90}, lines: []float64{1e9},
		ticks: "10 20 50 100"},
	{name: "large", data: []float64{3e9}, ticks: "0 500,000,000 1,000,000,000 1,500,000,000 2,000,000,000 " +
		"2,500,000,000 3,000,000,000 3,500,000,000"},
	{name: "huge", data: []float64{3e12}, ticks: "0 500,000,000,000 1e12 1.5e12 2e12 2.5e12 3e12 3.5e12"},
	{name: "tiny", data: []float64{3e-9}, ticks: "0 5e-10 1e-9 1.5e-9 2e-9 2.5e-9 3e-9 3.5e-9"},
}

func TestScale(t *testing.T) {
	for _, tt := range scaleCases {
		t.Run(tt.name, func(t *testing.T) {
			rule, want := zeroRule(always), 7
			if tt.x {
				rule, want = whenNear, 8
			}
			s := tt.axis.scale(extent{}.with(tt.data...), tt.lines, rule, want)
			if d := cmp.Diff(tt.ticks, numbers(s.ticks)); d != "" {
				t.Errorf("ticks (-want +got):\n%s", d)
			}
		})
	}
}

// TestScaleHoldsItsData: an automatic axis shows every value and every tick, and
// its ends are in order and finite.
func TestScaleHoldsItsData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Axis{Log: rapid.Bool().Draw(t, "log")}
		lo := -1e100
		if a.Log {
			lo = 1e-100
		}
		value := rapid.OneOf(rapid.Float64Range(lo, 1e100), rapid.Float64Range(max(lo, -100), 100),
			rapid.Float64Range(1e17, 1e17+100))
		data := rapid.SliceOfN(value, 1, 5).Draw(t, "data")
		rule := rapid.SampledFrom([]zeroRule{always, whenNear}).Draw(t, "rule")
		s := a.scale(extent{}.with(data...), rapid.SliceOfN(value, 0, 2).Draw(t, "lines"), rule, 7)
		if !(s.lo < s.hi) || math.IsInf(s.hi-s.lo, 0) {
			t.Fatalf("axis from %v to %v", s.lo, s.hi)
		}
		for _, v := range data {
			if !s.holds(v) {
				t.Errorf("%v is not on the axis from %v to %v", v, s.lo, s.hi)
			}
		}
		for _, k := range s.ticks {
			if !s.holds(k.value) {
				t.Errorf("tick %v is not on the axis from %v to %v", k, s.lo, s.hi)
			}
		}
		if len(s.ticks) < 2 {
			t.Errorf("%d ticks from %v to %v", len(s.ticks), s.lo, s.hi)
		}
	})
}

func TestThin(t *testing.T) {
	for _, tt := range []struct {
		name   string
		places []float64
		want   string
	}{
		{"room for all", []float64{0, 20, 40, 60}, "a b c d"},
		{"the last wins over its neighbour", []float64{0, 20, 48, 50}, "a b d"},
		{"every other", []float64{0, 8, 16, 24}, "a d"},
		{"all in one place", []float64{0, 0, 0, 0}, "d"},
	} {
		var ticks []tick
		for i := range tt.places {
			ticks = append(ticks, tick{text: string(rune('a' + i))})
		}
		got := thin(ticks, tt.places, []float64{10, 10, 10, 10}, 5)
		if numbers(got) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, numbers(got), tt.want)
		}
		if len(got) != len(ticks) || numbers(ticks) != "a b c d" {
			t.Errorf("%s: a tick was removed or the argument changed", tt.name)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {250, "250"}, {1000, "1,000"}, {1234567.5, "1,234,567.5"}, {-1000, "−1,000"},
		{0.001, "0.001"}, {0.1 + 0.2, "0.3"}, {1e-7, "1e-7"}, {1e12, "1e12"}, {2.5e15, "2.5e15"},
		{999999999999, "999,999,999,999"},
		{-1e-9, "−1e-9"}, {1e-100, "1e-100"}, {1e100, "1e100"},
	} {
		if got := shortest(tt.v); got != tt.want {
			t.Errorf("shortest(%v) = %q, want %q", tt.v, got, tt.want)
		}
	}
	for _, tt := range []struct {
		v        float64
		decimals int
		want     string
	}{
		{0.30000000000000004, 1, "0.3"}, {2, 1, "2.0"}, {0, 2, "0"}, {-1e-17, 1, "0"}, {12345.678, 2, "12,345.68"},
		{1.5e12, 0, "1.5e12"},
	} {
		if got := number(tt.v, tt.decimals); got != tt.want {
			t.Errorf("number(%v, %d) = %q, want %q", tt.v, tt.decimals, got, tt.want)
		}
	}
}
