package fit

import (
	"strings"
	"testing"

	"headway/record"
)

// What a simulation of a load does not have is said of it.
func TestDoubtsOfLoads(t *testing.T) {
	reply := func() *record.Record {
		return &record.Record{Outcome: record.OK, Streamed: true, Start: 1, Done: 2e7, TokensReasoning: -1,
			Arrivals: []record.Arrival{{At: 1e7, Kind: record.Content, Tokens: 1}}}
	}
	cached := reply()
	cached.Usage = map[string]int{"prompt_tokens": 100, "completion_tokens": 1, "prompt_cache_read_tokens": 64}
	invalid := record.Trailer{Audit: &record.Audit{Verdict: record.AuditInvalid}}
	for name, tt := range map[string]struct {
		records []*record.Record
		end     *record.Trailer
		line    string
		says    string
	}{
		"nothing":     {[]*record.Record{reply()}, &record.Trailer{}, "", ""},
		"not sent":    {[]*record.Record{reply(), {Outcome: record.Dropped}}, &record.Trailer{}, "", ""},
		"failed":      {[]*record.Record{reply(), {Outcome: record.Failed}}, &record.Trailer{}, "", "1 of 2 requests"},
		"cached":      {[]*record.Record{cached}, &record.Trailer{}, "", "64 % of the prompt tokens"},
		"killed":      {[]*record.Record{reply()}, nil, "", "not come to its end"},
		"busy client": {[]*record.Record{reply()}, &invalid, "", "bottleneck"},
		"torn":        {[]*record.Record{reply()}, nil, "{", "1 lines could not be read"},
	} {
		var text strings.Builder
		w, err := record.NewWriter(&text, record.Header{Concurrency: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range tt.records {
			err = w.Take(r)
		}
		if tt.end != nil {
			err = w.Close(*tt.end)
		} else if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		l, err := ReadLoad(strings.NewReader(text.String()+tt.line), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		doubts := strings.Join(l.Doubts, "\n")
		if tt.says == "" && doubts != "" || !strings.Contains(doubts, tt.says) {
			t.Errorf("%s: %q, want %q", name, doubts, tt.says)
		}
	}
}
