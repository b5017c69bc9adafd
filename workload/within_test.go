package workload

import (
	"strings"
	"testing"
)

// Bounds choose and cut the rows of a file and change nothing else about them.
func TestDatasetWithin(t *testing.T) {
	const text = `{"timestamp": 0, "input_length": 100, "output_length": 20, "hash_ids": [1, 2]}
{"timestamp": 10, "input_length": 900, "output_length": 30, "hash_ids": [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}
{"timestamp": 20, "input_length": 60, "output_length": 5, "hash_ids": [1]}
{"timestamp": 30, "input_length": 120, "output_length": 70, "hash_ids": [1, 2]}
`
	all, err := Read(strings.NewReader(text), "t", ReadOptions{Format: Mooncake, BlockSize: 64})
	if err != nil {
		t.Fatal(err)
	}
	got, err := all.Within(Bounds{MaxISL: 200, MinOSL: 10, MaxOSL: 40}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Requests) != 3 || got.Sessions != 3 || !got.Timed || got.BlockSize != 64 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct{ line, output int }{{1, 20}, {3, 10}, {4, 40}} {
		r, from := got.Requests[i], all.Requests[want.line-1]
		if r.Index != i || got.lines[i] != want.line || r.OutputTokens != want.output || r.At != from.At ||
			r.Prompt.Tokens != from.Prompt.Tokens || len(r.Prompt.Blocks) != len(from.Prompt.Blocks) {
			t.Errorf("row %d is %+v of line %d, want line %d with %d tokens", i, r, got.lines[i],
				want.line, want.output)
		}
	}
	if first, err := all.Within(Bounds{MaxISL: 200}, 2); err != nil || len(first.Requests) != 2 {
		t.Errorf("%v, %v", first, err)
	}
	if _, err := all.Within(Bounds{MinISL: 1000}, 0); err == nil ||
		!strings.Contains(err.Error(), "none of 4 requests in t has an input of at least 1000 tokens") {
		t.Errorf("error %v", err)
	}
}

// A turn that is left out leaves its pause to the next, and what becomes the first
// turn of a session brings no history.
func TestDatasetWithinSessions(t *testing.T) {
	const text = `{"session_id": "a", "timestamp": 5, "input_length": 10, "output_length": 1}
{"session_id": "a", "delay": 100, "input_length": 500, "output_length": 1}
{"session_id": "a", "delay": 20, "input_length": 30, "output_length": 1}
{"session_id": "b", "timestamp": 7, "input_length": 900, "output_length": 1}
`
	all, err := Read(strings.NewReader(text), "t", ReadOptions{Format: Mooncake})
	if err != nil {
		t.Fatal(err)
	}
	got, err := all.Within(Bounds{MaxISL: 100}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Requests) != 2 || got.Sessions != 1 || got.LiveTurns != 1 {
		t.Fatalf("%+v", got)
	}
	if last := got.Requests[1]; last.Turn != 1 || last.Turns != 2 || last.Delay.Milliseconds() != 120 ||
		last.Prompt.Tokens != 30 {
		t.Errorf("%+v", last)
	}
}
