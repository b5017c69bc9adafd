package metric

import (
	"slices"
	"strings"
	"testing"

	"headway/record"
)

// third adds a chunk that came in the second's read, or in one of its own.
func third(r *record.Record, together bool) {
	last := r.Arrivals[1]
	last.At, last.Coalesced = last.At+ms(5), together
	r.Arrivals = append(r.Arrivals, last)
}

// many are enough replies for every quantile.
func many(change func(i int, r *record.Record)) []*record.Record {
	var list []*record.Record
	for i := range 500 {
		r := reply(float64(1+i), float64(11+i), float64(21+i))
		r.Usage = map[string]int{"prompt_tokens": 100, "completion_tokens": 2}
		change(i, r)
		list = append(list, r)
	}
	return list
}

// warningsCases are the cases of TestWarnings.
var warningsCases = []struct {
	code, says string
	options    Options
	change     func(i int, r *record.Record)
}{
	{"", "", Options{Streaming: true}, func(int, *record.Record) {}},
	// two of three chunks each
	{"", "", Options{Streaming: true}, func(i int, r *record.Record) { third(r, i < 37) }},
	{"shared_reads", "5.1 %", Options{Streaming: true}, func(i int, r *record.Record) { third(r, i < 38) }},
	{"itl_collapsed", "3 of 500 replies", Options{Streaming: true},
		func(i int, r *record.Record) { r.Arrivals[1].Coalesced = i < 3 }},
	{"itl_collapsed", "are of the other 251", Options{Streaming: true}, func(i int, r *record.Record) {
		if i < 249 { // two reads, just too near to each other
			r.Arrivals[1].At = r.Arrivals[0].At + 39_999
		}
	}},
	{"itl_collapsed", "are not figures here", Options{Streaming: true}, func(i int, r *record.Record) {
		if i < 250 {
			r.Arrivals = r.Arrivals[:1] // both tokens in one chunk
		}
	}},
	{"", "", Options{Streaming: true}, func(_ int, r *record.Record) { // the limit itself
		r.Arrivals[1].At = r.Arrivals[0].At + 40_000
	}},
	{"user_stamps", "50.0 %", Options{Streaming: true},
		func(_ int, r *record.Record) { r.Arrivals[0].UserspaceStamp = true }},
	{"template_tokens", "7 prompt tokens more", Options{Streaming: true},
		func(_ int, r *record.Record) { r.Usage["prompt_tokens"] = 107 }},
	{"template_tokens", "30 prompt tokens more", Options{Streaming: true},
		func(_ int, r *record.Record) { r.Usage["prompt_tokens"] = 130 }},
	{"usage_prompt_varies", "by -2 to +7", Options{Streaming: true},
		func(i int, r *record.Record) { r.Usage["prompt_tokens"] = 98 + i%10 }},
	{"usage_discrepancy", "in 500 of 500", Options{Streaming: true},
		func(_ int, r *record.Record) { r.Usage["prompt_tokens"] = 80 }},
	{"osl_mismatch", "3 of 500", Options{Streaming: true}, func(i int, r *record.Record) {
		r.PlannedOSL = 2
		if i < 3 {
			r.PlannedOSL = 4
		}
	}},
	{"level_not_reached", "of 2000", Options{Streaming: true, Concurrency: 2000}, func(int, *record.Record) {}},
	{"not_streamed", "1 of 500", Options{Streaming: true}, func(i int, r *record.Record) { r.Streamed = i != 0 }},
	{"garbage_chunks", "7 chunks of 2 replies", Options{Streaming: true}, func(i int, r *record.Record) {
		if i < 2 {
			r.Skipped = 3 + i
		}
	}},
	{"chunk_usage_missing", "499 replies", Options{Streaming: true, PerChunkUsage: true},
		func(i int, r *record.Record) {
			if i == 0 {
				r.FirstUsage = 1
			}
		}},
}

func TestWarnings(t *testing.T) {
	tests := warningsCases
	for _, test := range tests {
		r := collect(test.options, many(test.change)...)
		want := []string{test.code}
		if test.code == "" {
			want = nil
		}
		if got := codes(r); !slices.Equal(got, want) {
			t.Errorf("%q: codes %v", test.code, got)
		} else if len(want) > 0 && !strings.Contains(r.Warnings[0].Text, test.says) {
			t.Errorf("%q does not say %q", r.Warnings[0].Text, test.says)
		}
	}
}

func TestTextReads(t *testing.T) {
	const text, role = record.Content, record.Kind(0)
	for _, test := range []struct {
		arrivals []record.Arrival
		want     int
	}{
		{nil, 0},
		{[]record.Arrival{{Kind: role}, {Kind: text, Coalesced: true}, {Kind: text, Coalesced: true}}, 1},
		{[]record.Arrival{{Kind: text}, {Kind: role}, {Kind: text, Coalesced: true}}, 2},
		{[]record.Arrival{{Kind: text}, {Kind: role, Coalesced: true}, {Kind: text, Coalesced: true},
			{Kind: record.Usage}}, 1},
		{[]record.Arrival{{Kind: text}, {Kind: text}, {Kind: text, Coalesced: true}, {Kind: text}}, 3},
	} {
		if got := textReads(&record.Record{Arrivals: test.arrivals}, 9); got != test.want {
			t.Errorf("%+v: %d reads, want %d", test.arrivals, got, test.want)
		}
		if got := textReads(&record.Record{Arrivals: test.arrivals}, 1); got != min(test.want, 1) {
			t.Errorf("%+v: %d reads up to one", test.arrivals, got)
		}
	}
}

func TestWarningsThatComeTogether(t *testing.T) {
	longer := many(func(_ int, r *record.Record) { r.Usage["completion_tokens"] = 3 })
	if got := codes(collect(Options{Streaming: true}, longer...)); !slices.Equal(got,
		[]string{"client_token_count", "completion_offset", "usage_discrepancy"}) {
		t.Errorf("a token more in each reply: %v", got)
	}
	varied := many(func(i int, r *record.Record) { r.Usage["completion_tokens"] = 2 + i%2 })
	if got := codes(collect(Options{Streaming: true}, varied...)); !slices.Equal(got,
		[]string{"client_token_count", "usage_completion_varies", "usage_discrepancy"}) {
		t.Errorf("a token more in every second reply: %v", got)
	}
	short := many(func(int, *record.Record) {})[:30]
	r := collect(Options{Streaming: true}, short...)
	if got := codes(r); !slices.Equal(got, []string{"few_samples"}) ||
		!strings.Contains(r.Warnings[0].Text, "p90, p95, p99") {
		t.Errorf("thirty replies: %+v", r.Warnings)
	}
	if w := collect(Options{Streaming: true, Concurrency: 10},
		&record.Record{Outcome: record.Dropped}).Warnings; len(w) != 0 {
		t.Errorf("a run that ended before its first request: %+v", w)
	}
	if w := collect(Options{Streaming: true}).Warnings; len(w) != 0 {
		t.Errorf("no replies: %+v", w)
	}
}
