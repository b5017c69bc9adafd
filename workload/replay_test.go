package workload

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const trace = `{"timestamp":5000,"input_length":10,"session_id":"a"}
{"timestamp":6000,"input_length":11,"session_id":"b"}
{"timestamp":7000,"input_length":12,"session_id":"a"}
{"delay":500,"input_length":13,"session_id":"a"}
{"timestamp":9000,"input_length":14}
`

func offset(ms int) *time.Duration {
	d := time.Duration(ms) * time.Millisecond
	return &d
}

func TestFixed(t *testing.T) {
	d := read(t, trace, ReadOptions{Format: Mooncake})
	for _, c := range []struct {
		name   string
		window Window
		tokens []int
		at     []int // ms; -1 untimed
	}{
		{"zero is the first", Window{}, []int{10, 12, 13, 11, 14}, []int{0, 2000, -1, 1000, 4000}},
		{"zero of the file", Window{KeepOffset: true}, []int{10, 12, 13, 11, 14}, []int{5000, 7000, -1, 6000, 9000}},
		{"speed-up", Window{Speedup: 4}, []int{10, 12, 13, 11, 14}, []int{0, 500, -1, 250, 1000}},
		{"start", Window{Start: offset(5500)}, []int{11, 14}, []int{500, 3500}},
		{"both inclusive", Window{Start: offset(6000), End: offset(9000)}, []int{11, 14}, []int{0, 3000}},
		{"end cuts turns", Window{End: offset(6999)}, []int{10, 11}, []int{0, 1000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := d.Fixed(c.window, Seed(1))
			if err != nil {
				t.Fatal(err)
			}
			all := collect(t, src)
			checkTurns(t, all)
			var tokens, at []int
			keys := map[Key]bool{}
			for _, r := range all {
				tokens = append(tokens, r.Prompt.Tokens)
				keys[r.Prompt.Key] = true
				if r.Timed {
					at = append(at, int(r.At/ms))
				} else {
					at = append(at, -1)
				}
			}
			if !slices.Equal(tokens, c.tokens) || !slices.Equal(at, c.at) {
				t.Errorf("tokens %v at %v, want %v at %v", tokens, at, c.tokens, c.at)
			}
			if len(keys) != len(all) {
				t.Errorf("%d texts for %d prompts", len(keys), len(all))
			}
			if c.window.Speedup == 4 && all[2].Delay != 125*ms {
				t.Errorf("delay %v at four times the speed, want 125ms", all[2].Delay)
			}
		})
	}
}

func TestFixedFaults(t *testing.T) {
	d := read(t, trace, ReadOptions{Format: Mooncake})
	for _, c := range []struct {
		window Window
		want   string
	}{
		{Window{Start: offset(9001)}, "no request lies between"},
		{Window{Start: offset(2), End: offset(1)}, "start offset 2 ms is after the end offset 1 ms"},
		{Window{Speedup: -1}, "speed-up ratio -1"},
	} {
		if _, err := d.Fixed(c.window, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.window, err, c.want)
		}
	}
	d = read(t, `{"text_input":"a","timestamp":1}`+"\n\n"+`{"text_input":"b"}`, ReadOptions{Format: Mooncake})
	if _, err := d.Fixed(Window{}, 1); err == nil || !strings.Contains(err.Error(), "file:3: no timestamp") {
		t.Errorf("a row without a time: %v", err)
	}
}

// TestHalfSpeed checks that speed changes times and nothing else.
func TestHalfSpeed(t *testing.T) {
	d := read(t, trace, ReadOptions{Format: Mooncake})
	a, _ := d.Fixed(Window{}, 1)
	b, _ := d.Fixed(Window{Speedup: 0.5}, 1)
	slow := collect(t, b)
	for i, r := range collect(t, a) {
		r.At, r.Delay = 2*r.At, 2*r.Delay
		if r.At != slow[i].At || r.Delay != slow[i].Delay || r.Prompt.Key != slow[i].Prompt.Key ||
			r.Prompt.Tokens != slow[i].Prompt.Tokens {
			t.Errorf("request %d: %+v at half speed", i, slow[i])
		}
	}
}

func TestSample(t *testing.T) {
	d := read(t, trace+`{"text_input":"x~2","session_id":"a~2"}`+"\n", ReadOptions{Format: Mooncake})
	for _, s := range []Sampling{Sequential, Shuffle, Random} {
		all := collect(t, Limit(d.Sample(s, Seed(4)), 600))
		checkTurns(t, all)
		keys := map[Key]bool{}
		for _, r := range all {
			if r.Timed {
				t.Fatalf("%v: %+v has a time", s, r)
			}
			if r.Prompt.Tokens > 0 {
				if keys[r.Prompt.Key] {
					t.Fatalf("%v: two prompts of a length share their text", s)
				}
				keys[r.Prompt.Key] = true
			}
		}
	}
	paced := collect(t, Limit(Paced(d.Sample(Sequential, Seed(4)), Arrivals{Pattern: Constant, Rate: 2}, 1, 0), 5))
	if paced[0].At != 500*ms || paced[1].Timed || paced[3].At != time.Second {
		t.Errorf("paced: %+v", paced)
	}
}

func TestWriteSchedule(t *testing.T) {
	s := Synthetic{
		Key: Stream{Run: "demo", Level: "10"}.Key(42), Requests: 6,
		ISL: Length{Mean: 550, SD: 10}, OSL: Length{Mean: 64}, Turns: Length{Mean: 2},
		TurnDelay: 100 * ms, TurnDelayRatio: 1, PrefixPool: 2, PrefixTokens: 128, SystemTokens: 20,
		Arrivals: Arrivals{Pattern: Poisson, Rate: 4}, CancelRate: 0.5, CancelAfter: 50 * ms,
	}
	var b bytes.Buffer
	sum, err := WriteSchedule(&b, s.Source())
	if err != nil {
		t.Fatal(err)
	}
	if sum.Requests != 6 || sum.Sessions != 3 || sum.Timed != 3 || sum.Arrivals.Count != 3 {
		t.Errorf("summed up as %+v", sum)
	}
	const golden = "testdata/schedule.jsonl"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the schedule of a seed has changed; with -update it is rewritten\ngot\n%s\nwant\n%s", b.Bytes(), want)
	}
}
