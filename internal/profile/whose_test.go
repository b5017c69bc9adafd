package profile

import (
	"math"
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
)

// decodeCounted measures a decode on an engine whose replies have, by its own
// count, twice the tokens that the text encodes to, one every 10 ms.
func decodeCounted(t *testing.T, source metric.TokenSource, spoil func(run int, r *record.Record)) DecodeSurface {
	t.Helper()
	e := plain()
	e.facts.KVTokens = 20_000
	e.itl = func(int, int) float64 { return 0.02 } // by our count
	e.spoil = func(run int, r *record.Record) {
		if r.PlannedOSL > 1 {
			r.Usage["completion_tokens"] = 2*r.PlannedOSL - 1
		}
		if spoil != nil {
			spoil(run, r)
		}
	}
	s, err := MeasureDecode(t.Context(), e, Grid{MaxContext: 2000, Granularity: 2, Repeats: 1, Tokens: source})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDecodeByTheServersCounts(t *testing.T) {
	for source, want := range map[metric.TokenSource]struct {
		itl float64
		by  string
	}{metric.TokensAuto: {0.01, "server"}, metric.TokensClient: {0.02, "client"}} {
		for _, p := range decodeCounted(t, source, nil).Points {
			if math.Abs(p.ITL.Mean-want.itl) > 1e-9 || p.CountedBy != want.by {
				t.Errorf("%s: ITL %v, counted by %q, want %v, %s", source, p.ITL.Mean, p.CountedBy, want.itl, want.by)
			}
			if warned := strings.Contains(strings.Join(p.Warnings, " "),
				"as many reply tokens"); warned != (source == metric.TokensClient) {
				t.Errorf("%s: %q", source, p.Warnings)
			}
		}
	}
}

// Once a reply has no usage every later point is of our counts, and the point
// where that begins says so.
func TestDecodeWhenUsageEnds(t *testing.T) {
	s := decodeCounted(t, metric.TokensAuto, func(run int, r *record.Record) {
		if run == 3 {
			r.Usage = nil
		}
	})
	var by []string
	turns := 0
	for _, p := range s.Points {
		by = append(by, p.CountedBy)
		if strings.Contains(strings.Join(p.Warnings, " "), "a reply without usage") {
			turns++
		}
	}
	if len(by) < 3 || by[0] != "server" || by[1] != "client" || by[len(by)-1] != "client" || turns != 1 {
		t.Errorf("counted by %v, said %d times", by, turns)
	}
}
