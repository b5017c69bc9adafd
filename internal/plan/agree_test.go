package plan

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"headway/internal/router"
	"headway/workload"
)

// poisson is a load of a constant rate for some windows: prompts of one length, replies of
// one token more or less.
func poisson(t *testing.T, seed uint64, rate float64, span, length time.Duration) *Load {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 77))
	d := &workload.Dataset{Name: "poisson"}
	for at := r.ExpFloat64() / rate; at < span.Seconds(); at += r.ExpFloat64() / rate {
		d.Requests = append(d.Requests, workload.Request{Index: len(d.Requests), Timed: true, Turns: 1,
			At: time.Duration(at * 1e9), OutputTokens: 2 + r.IntN(12),
			Prompt: workload.Prompt{Tokens: 2000 + r.IntN(8000), Key: workload.Seed(seed).Index(len(d.Requests))}})
	}
	l, err := NewLoad(d, length, seed)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fresh is how many loads of each rate are planned for (make plan-risk takes 150).
var fresh = flag.Int("fresh", 0, "loads of each rate that the stated risk is counted on; 0 is a short test")

// agreement is how often fresh loads of a process lose a window, and the mean risk that is
// stated of so many of those that do not.
func agreement(t *testing.T, rate float64, loads, stating int) (frequency, stated float64, kept int) {
	t.Helper()
	for seed := range uint64(loads) {
		a := &Asked{Load: poisson(t, seed, rate, 4*time.Minute, time.Minute),
			Mappings: []Mapping{mapping("one", 1, 1)}, Routers: []router.Mode{router.RoundRobin},
			Objectives: objectives(t, "ttft p90 < 1500ms"), MaxReplicas: 1, Parallel: 2, Seed: seed}
		if kept < stating {
			a.Draws, a.Loads = 4, 24
			calibrated(a.Mappings[0].Twin, map[string][]float64{"time_to_first_token p90": {0}})
		}
		r, err := Make(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		if r.Static == nil {
			frequency += 1 / float64(loads)
			continue
		}
		if kept < stating {
			kept++
			stated += float64(r.Static.Risk.Any)
		}
	}
	return frequency, stated / float64(max(kept, 1)), kept
}

// The risk of a load that keeps its objectives is about how often other loads of the same
// process do not, near capacity, too.
func TestRiskAgreesWithFreshLoads(t *testing.T) {
	if *fresh == 0 {
		if f, s, _ := agreement(t, 4.4, 60, 5); f < 0.2 || s < f/2 || s > 2*f {
			t.Errorf("%.2f of the loads lose a window, stated %.2f", f, s)
		}
		return
	}
	for _, rate := range []float64{3.8, 4, 4.2, 4.4, 4.6} {
		f, s, k := agreement(t, rate, *fresh, *fresh)
		t.Logf("%g requests/s: %.2f of %d loads lose a window, stated %.2f of the %d that do not", rate, f, *fresh,
			s, k)
	}
}

// A drawn load has as many requests as the recorded one but for chance, turns keep their
// distance and what they share, and what comes twice is other text.
func TestDrawnLoads(t *testing.T) {
	d := &workload.Dataset{Name: "turns"}
	for s := range int64(400) {
		blocks := []int64{7, 1000 + 100*s}
		for turn := range int64(3) {
			d.Requests = append(d.Requests, workload.Request{Index: len(d.Requests), Timed: true, Turns: 1,
				At: time.Duration(s)*time.Second + time.Duration(turn)*30*time.Second, OutputTokens: 5,
				Prompt: workload.Prompt{Tokens: 512 * len(blocks), BlockSize: 512, Blocks: blocks}})
			blocks = append(slices.Clone(blocks), 1001+100*s+2*turn, 1002+100*s+2*turn)
		}
	}
	l, err := NewLoad(d, time.Minute, 1)
	if err != nil {
		t.Fatal(err)
	}
	draw := newDrawer(l)
	if len(draw.sessions) != 400 || draw.owner[7] != -1 {
		t.Fatalf("%d sessions, want 400; the common block is of session %d", len(draw.sessions), draw.owner[7])
	}
	sum := 0
	for n := range 50 {
		drawn := draw.draw(l.whole(), 1, n)
		sum += len(drawn.requests)
		first := map[int64]time.Duration{} // of each conversation
		for _, r := range drawn.requests {
			id := r.Prompt.Blocks[1]
			if begun, there := first[id]; !there {
				first[id] = r.At
			} else if gap := r.At - begun; gap != 30*time.Second && gap != 60*time.Second {
				t.Fatalf("turns %v apart", gap)
			}
			if r.Prompt.Blocks[0] != 7 {
				t.Fatal("the common beginning was renamed")
			}
		}
	}
	if mean := float64(sum) / 50; math.Abs(mean/1200-1) > 0.05 {
		t.Errorf("%.0f requests a drawn load, recorded 1200", mean)
	}
}
