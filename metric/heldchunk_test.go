package metric

import (
	"strings"
	"testing"

	"headway/record"
)

// held is a reply whose head came at 10 ms and whose first two chunks came
// together so long (ms) after it.
func held(reused bool, gap float64, together bool) *record.Record {
	r := reply(1, 10+gap, 10+gap, 30+gap, 50+gap)
	r.Ack, r.HTTP.Reused, r.Arrivals[1].Coalesced = ms(10), reused, together
	return r
}

func TestFirstChunkHeld(t *testing.T) {
	type group struct {
		n        int
		reused   bool
		gap      float64
		together bool
	}
	for _, tt := range []struct {
		name   string
		groups []group
		want   string
	}{
		{"a delayed acknowledgement on used connections", []group{{90, true, 42, true}, {10, false, 0.1, false}},
			"of 90 replies on connections that were open before, 90 had their first token together with the next, " +
				"long after the head, and of 10 on new ones 0"},
		{"of another length, and new ones are evidence",
			[]group{{90, true, 25, true}, {10, false, 0.1, false}}, "Nagle"},
		{"a fifth of them", []group{{20, true, 42, true}, {80, true, 0.1, false}, {10, false, 0.1, false}}, "20 had"},
		{"fewer", []group{{19, true, 42, true}, {81, true, 0.1, false}, {10, false, 0.1, false}}, ""},
		{"all opened ahead", []group{{100, true, 42, true}},
			"100 had their first token together with the next, long after the head: "},
		{"all opened ahead, another wait", []group{{100, true, 25, true}}, ""},
		{"new ones, too: the server batches", []group{{90, true, 42, true}, {10, false, 42, true}}, ""},
		{"head and first chunk together", []group{{100, true, 0, true}}, ""},
		{"a long wait for a first token of its own", []group{{100, true, 42, false}}, ""},
	} {
		var all []*record.Record
		for _, g := range tt.groups {
			for range g.n {
				all = append(all, held(g.reused, g.gap, g.together))
			}
		}
		got := ""
		for _, w := range collect(Options{Streaming: true}, all...).Warnings {
			if w.Code == "first_chunk_held" {
				got = w.Text
			}
		}
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
