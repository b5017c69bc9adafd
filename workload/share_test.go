package workload

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestShareOfPlaces(t *testing.T) {
	const slots, ramp = 10, 9 * time.Second
	opens := map[time.Duration]int{}
	for i := range 3 {
		p, err := Share{i, 3}.Plan(Plan{Source: many(1), Concurrency: slots, ConcurrencyRamp: ramp})
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{4, 3, 3}[i]; p.Concurrency != want {
			t.Errorf("part %d has %d slots, want %d", i, p.Concurrency, want)
		}
		for j := range p.Concurrency {
			opens[p.ConcurrencyPlaces.Opens(j, p.Concurrency, ramp)]++
		}
	}
	for i := range slots {
		if at := time.Duration(i) * time.Second; opens[at] != 1 {
			t.Errorf("%d places open at %v", opens[at], at)
		}
	}
}

// many is an untimed Source of so many sessions.
func many(n int) Source {
	return Synthetic{Key: Seed(1), Sessions: n, ISL: Length{Mean: 8}}.Source()
}

// A part of a part is a part: six are two of three, whichever is split first.
func TestPartsOfParts(t *testing.T) {
	whole := Plan{Source: many(100), Concurrency: 13}
	sixth := func(s ...Share) (indexes []int) {
		p := whole
		for _, s := range s {
			var err error
			if p, err = s.Plan(p); err != nil {
				t.Fatal(err)
			}
		}
		for r, err := range p.Source {
			if err != nil {
				t.Fatal(err)
			}
			indexes = append(indexes, r.Index)
		}
		return indexes
	}
	for i := range 6 {
		want := sixth(Share{i, 6})
		if got := sixth(Share{i % 2, 2}, Share{i / 2, 3}); !slices.Equal(got, want) {
			t.Errorf("part %d of two, then of three: %v, want %v", i, got, want)
		}
	}
}

// A schedule goes on where the last session of the whole warm-up begins: neither at that
// of the part's own last session nor at a later turn.
func TestShareHandover(t *testing.T) {
	const second = time.Second
	warm := func(yield func(Request, error) bool) {
		for i, at := range []time.Duration{1, 2, 3, 9} { // two sessions, then one of two turns
			r := Request{Index: i, Session: "one", Turns: 1, Timed: true, At: at * second} // of one name, and yet two
			if i > 1 {
				r.Session, r.Turn, r.Turns = "talk", i-2, 2
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	src := Synthetic{Key: Seed(1), Sessions: 6, ISL: Length{Mean: 8}}
	src.Arrivals = Arrivals{Pattern: Constant, Rate: 1}
	for i, want := range [][]int{{0, 2, 3}, {1}} {
		p, err := Share{i, 2}.Plan(Plan{Source: src.Source(), Warmup: &LeadIn{Source: warm, Requests: 4}})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for r := range p.Warmup.Source {
			got = append(got, r.Index)
		}
		if w := p.Warmup; w.Handover != 3*second || w.Requests != len(want) || !slices.Equal(got, want) {
			t.Errorf("part %d hands over at %v after %d requests %v, want 3s and %v", i, w.Handover, w.Requests, got,
				want)
		}
	}
}

func TestShareRefuses(t *testing.T) {
	for _, tt := range []struct {
		share Share
		plan  Plan
		want  string
	}{
		{Share{2, 2}, Plan{}, "part 2 of 2"},
		{Share{0, 0}, Plan{}, "part 0 of 0"},
		{Share{0, 3}, Plan{Concurrency: 2}, "concurrency 2 cannot be split into 3 parts: use at most 2"},
		{Share{0, 3}, Plan{Concurrency: 3, PrefillConcurrency: 1}, "prefill concurrency 1 cannot be split"},
		{Share{0, 2}, Plan{Concurrency: 2, Warmup: &LeadIn{Source: many(4), Settle: true}}, "load has settled"},
	} {
		tt.plan.Source = many(10)
		if _, err := tt.share.Plan(tt.plan); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.share, err, tt.want)
		}
	}
}

// What a part costs for each session of the others.
func BenchmarkShare(b *testing.B) {
	s := Synthetic{Key: Seed(1), Sessions: b.N, ISL: Length{Mean: 1000, SD: 100}, OSL: Length{Mean: 100}}
	s.Arrivals = Arrivals{Pattern: Poisson, Rate: 1000}
	p, err := Share{63, 64}.Plan(Plan{Source: s.Source()})
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range p.Source {
		if err != nil {
			b.Fatal(err)
		}
	}
}
