package workload

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWithin(t *testing.T) {
	text := `{"timestamp":0,"input_length":10,"output_length":5}
{"timestamp":10,"input_length":500,"output_length":50,"session_id":"a"}
{"delay":7,"input_length":20,"output_length":500,"session_id":"a"}
{"delay":8,"input_length":900,"session_id":"a"}
{"delay":9,"input_length":30,"session_id":"a"}
{"timestamp":20,"input_length":1000,"session_id":"b"}
{"timestamp":30,"input_length":40}`
	show := func(b Bounds) []string {
		var all []string
		d := read(t, text, ReadOptions{Format: Mooncake})
		kept := collect(t, Within(d.Source(1), b))
		checkTurns(t, kept)
		for _, r := range kept {
			at := "-"
			if r.Timed {
				at = formatMillis(r.At)
			}
			all = append(all, fmt.Sprintf("%s %d/%d at %s +%s: %d %d", r.Session, r.Turn, r.Turns, at,
				formatMillis(r.Delay), r.Prompt.Tokens, r.OutputTokens))
		}
		return all
	}
	for _, c := range []struct {
		bounds Bounds
		want   []string
	}{
		{Bounds{MaxISL: 400}, []string{
			"session_1 0/1 at 0 +0: 10 5", "a 0/2 at 17 +0: 20 500", "a 1/2 at - +17: 30 0",
			"session_4 0/1 at 30 +0: 40 0"}},
		{Bounds{MinISL: 600}, []string{"a 0/1 at 25 +0: 900 0", "b 0/1 at 20 +0: 1000 0"}},
		{Bounds{MinISL: 901, MaxISL: 901}, nil},
		{Bounds{MinISL: 500, MaxISL: 500, MinOSL: 60, MaxOSL: 80}, []string{"a 0/1 at 10 +0: 500 60"}},
		{Bounds{MaxISL: 40, OSLFactor: 0.5, MaxOSL: 80}, []string{
			"session_1 0/1 at 0 +0: 10 3", "a 0/2 at 17 +0: 20 80", "a 1/2 at - +17: 30 80",
			"session_4 0/1 at 30 +0: 40 80"}},
		{Bounds{MaxISL: 40, MaxOSL: 80}, []string{
			"session_1 0/1 at 0 +0: 10 5", "a 0/2 at 17 +0: 20 80", "a 1/2 at - +17: 30 80",
			"session_4 0/1 at 30 +0: 40 80"}},
	} {
		if got := show(c.bounds); !slices.Equal(got, c.want) {
			t.Errorf("%+v:\n got %q\nwant %q", c.bounds, got, c.want)
		}
	}
	if got := show(Bounds{}); len(got) != 7 {
		t.Errorf("no bounds: %q", got)
	}
}

func TestWithinUnknownLengths(t *testing.T) {
	for text, b := range map[string]Bounds{
		`{"text_input":"a"}`: {MaxISL: 5},
		`{"payload":{}}`:     {MaxOSL: 5},
	} {
		d := read(t, text, ReadOptions{Format: Mooncake})
		var last error
		for _, err := range Within(d.Source(1), b) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), "request 0 (session session_1, turn 0)") {
			t.Errorf("%s: %v", text, last)
		}
	}
}

func TestBoundsFaults(t *testing.T) {
	err := Bounds{MinISL: -1, MinOSL: 5, MaxOSL: 4}.Validate()
	if err == nil || !strings.Contains(err.Error(), "input tokens -1") ||
		!strings.Contains(err.Error(), "least output tokens 5") {
		t.Errorf("%v", err)
	}
	if err := (Bounds{MinISL: 5, MaxISL: 5, MinOSL: 9}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestScaledOutput(t *testing.T) {
	d := read(t, `{"input_length":1,"output_length":5}`+"\n"+`{"input_length":1,"output_length":1}`+"\n"+
		`{"input_length":1}`, ReadOptions{Format: Mooncake})
	var got []int
	for _, r := range collect(t, ScaledOutput(d.Source(1), 0.3)) {
		got = append(got, r.OutputTokens)
	}
	if !slices.Equal(got, []int{2, 1, 0}) {
		t.Errorf("%v", got)
	}
}
