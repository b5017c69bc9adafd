package study

import (
	"fmt"
	"strings"
	"testing"

	"headway/record"
)

// textOf is text of about so many tokens of four bytes that no other key has.
func textOf(key, tokens int) string {
	var b strings.Builder
	for i := 0; b.Len() < 4*tokens; i++ {
		fmt.Fprintf(&b, "%x ", (key+1)*1_000_003+i*7919)
	}
	return b.String()[:4*tokens]
}

// A server that has cached more than the prompts of the run share has seen them
// before; what they share themselves, templates, turns and warm-up are no reason
// to warn.
func TestReuse(t *testing.T) {
	prefix := textOf(999, 500)
	for _, tt := range []struct {
		name string
		// prompt of the i-th request, and how many tokens of it were cached
		prompt func(i int) string
		cached func(i, tokens int) int
		change func(*record.Record)
		warns  bool
	}{
		{"nothing cached", func(i int) string { return textOf(i, 1000) }, func(int, int) int { return 0 }, nil, false},
		{"the same seed again", func(i int) string { return textOf(i, 1000) },
			func(_, n int) int { return n * 9 / 10 }, nil, true},
		{"a template alone", func(i int) string { return textOf(i, 1000) },
			func(int, int) int { return 60 }, nil, false},
		{"a long template", func(i int) string { return textOf(i, 1000) }, func(int, int) int { return 300 },
			func(r *record.Record) { r.PlannedISL = 750 }, false},
		{"a shared prefix", func(i int) string { return prefix + textOf(i, 500) },
			func(i, _ int) int { return min(i, 1) * 496 }, nil, false},
		{"a shared prefix, again", func(i int) string { return prefix + textOf(i, 500) },
			func(_, n int) int { return n * 9 / 10 }, nil, true},
		{"prompts that repeat", func(i int) string { return textOf(i%2, 1000) },
			func(i, n int) int { return min(i/2, 1) * n }, nil, false},
		{"a conversation", func(i int) string { return textOf(0, 200*(i+1)) },
			func(i, _ int) int { return 200 * i }, nil, false},
		{"no usage", func(i int) string { return textOf(i, 1000) }, func(_, n int) int { return n },
			func(r *record.Record) { r.Usage = nil }, false},
		{"failed", func(i int) string { return textOf(i, 1000) }, func(_, n int) int { return n },
			func(r *record.Record) { r.Outcome = record.Failed }, false},
		{"warm-up", func(i int) string { return textOf(i/2, 1000) }, func(i, n int) int { return i % 2 * n },
			func(r *record.Record) { r.Warmup = r.Index%2 == 0 }, false},
		{"no text", func(int) string { return "" }, func(int, int) int { return 900 }, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var kept echoSink
			u := newReuse(&kept)
			for i := range 8 {
				p := tt.prompt(i)
				n := len(p) / 4
				r := &record.Record{Index: i, Outcome: record.OK,
					Text:  &record.Text{Prompt: p, Content: []byte("a reply")},
					Usage: map[string]int{promptTokens: max(1, n), cachedTokens: tt.cached(i, n)}}
				if tt.change != nil {
					tt.change(r)
				}
				if err := u.Take(r); err != nil {
					t.Fatal(err)
				}
			}
			if got := u.warn(nil); (len(got) > 0) != tt.warns || kept != 8 {
				t.Errorf("%+v (%v tokens, %v cached, %v shared, %v beyond), %d passed on", got, u.tokens, u.cached,
					u.shared, u.beyond, kept)
			}
		})
	}
}

// echoSink counts.
type echoSink int

func (e *echoSink) Take(*record.Record) error { *e++; return nil }

// What is kept of prompts has a bound, and what comes after it is passed on.
func TestReuseIsBounded(t *testing.T) {
	var kept echoSink
	u := newReuse(&kept)
	for i := range mostBlocks {
		u.seen[uint64(i)] = struct{}{}
	}
	r := &record.Record{Outcome: record.OK, Text: &record.Text{Prompt: textOf(1, 1000)},
		Usage: map[string]int{promptTokens: 1000, cachedTokens: 1000}}
	if err := u.Take(r); err != nil || kept != 1 || len(u.seen) != mostBlocks || u.tokens != 0 {
		t.Errorf("%v, %d passed on, %d blocks, %v tokens", err, kept, len(u.seen), u.tokens)
	}
}
