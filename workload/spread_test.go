package workload

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func millisOf(times []time.Duration) []float64 {
	var all []float64
	for _, d := range times {
		all = append(all, milliseconds(d))
	}
	return all
}

func TestSpreadTimes(t *testing.T) {
	times := func() []time.Duration { return []time.Duration{0, 0, 0, 30 * ms, 60 * ms, 60 * ms, 100 * ms, 100 * ms} }
	for _, c := range []struct {
		spread Spread
		want   []float64
	}{
		{AsRecorded, []float64{0, 0, 0, 30, 60, 60, 100, 100}},
		{Evenly, []float64{0, 10, 20, 30, 60, 80, 100, 115}}, // the last gap is the median, 30
	} {
		got := times()
		c.spread.Times(got, 1)
		if !slices.Equal(millisOf(got), c.want) {
			t.Errorf("%v: %v, want %v", c.spread, millisOf(got), c.want)
		}
	}
	a, b, other := times(), times(), times()
	Uniformly.Times(a, 1)
	Uniformly.Times(b, 1)
	Uniformly.Times(other, 2)
	if !slices.Equal(a, b) || slices.Equal(a, other) {
		t.Errorf("uniform: %v and %v of one key, %v of another", a, b, other)
	}
	for i, from := range times() {
		width := 30 * ms
		if from == 60*ms {
			width = 40 * ms
		}
		if a[i] < from || a[i] >= from+width || i > 0 && a[i] < a[i-1] {
			t.Errorf("uniform: %v, the %d-th is not in its gap or not in order", millisOf(a), i)
		}
	}
	for _, alone := range [][]time.Duration{nil, {5}, {5, 5, 5}} {
		got := slices.Clone(alone)
		Uniformly.Times(got, 1)
		if !slices.Equal(got, alone) {
			t.Errorf("%v without a gap becomes %v", alone, got)
		}
	}
	for s := AsRecorded; s <= Uniformly; s++ {
		if got, err := ParseSpread(s.String()); got != s || err != nil {
			t.Errorf("%v: %v, %v", s, got, err)
		}
	}
	if _, err := ParseSpread("odd"); err == nil || !strings.Contains(err.Error(), "none, even, uniform") {
		t.Errorf("%v", err)
	}
}

// TestSpreadDataset checks that turns of sessions, which stand together, are spread
// among the lines that they stood between.
func TestSpreadDataset(t *testing.T) {
	d := read(t, `{"timestamp":0,"input_length":1,"session_id":"a"}
{"timestamp":0,"input_length":2,"session_id":"b"}
{"timestamp":40,"input_length":3,"session_id":"b"}
{"timestamp":40,"input_length":4,"session_id":"a"}
{"timestamp":80,"input_length":5,"session_id":"c"}
{"delay":5,"input_length":6,"session_id":"c"}`, ReadOptions{Format: Mooncake})
	d.Spread(Evenly, 1)
	got := map[int]float64{}
	for _, r := range d.Requests {
		got[r.Prompt.Tokens] = milliseconds(r.At)
	}
	if want := map[int]float64{1: 0, 2: 20, 3: 40, 4: 60, 5: 80, 6: 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("times by length %v, want %v", got, want)
	}
}

func TestRounded(t *testing.T) {
	var rounded, fine, fast []time.Duration
	for i := range 100 {
		rounded = append(rounded, time.Duration(i/10)*time.Second)
		fine = append(fine, time.Duration(i)*100*ms)
		fast = append(fast, time.Duration(i/10)*ms)
	}
	if r := Rounded(rounded); r != (Rounding{Times: 100, Distinct: 10, Shared: 100, Largest: 10, Gap: time.Second}) ||
		!strings.Contains(r.Warning(), "100 requests have 10 distinct ones, about 1000 ms apart, with up to 10 "+
			"requests on one") {
		t.Errorf("%+v: %s", r, r.Warning())
	}
	if r := Rounded(fine); r.Bursts() || r.Warning() != "" {
		t.Errorf("fine times: %+v", r)
	}
	if r := Rounded(fast); r.Bursts() {
		t.Errorf("thousands a second in milliseconds: %+v", r)
	}
	if r := Rounded(nil); r.Bursts() {
		t.Errorf("no times: %+v", r)
	}
	Evenly.Times(rounded, 1)
	if r := Rounded(rounded); r.Distinct != 100 {
		t.Errorf("spread: %+v", r)
	}
}
