package router

import (
	"slices"
	"testing"

	"headway/workload"
)

// workersOf routes n requests that end at once, or never.
func workersOf(t *testing.T, c Config, n int, end bool) []int {
	t.Helper()
	r := mustNew(t, c)
	var out []int
	for id := range uint64(n) {
		d := mustRoute(t, r, Request{ID: id, Tokens: 100, Direct: int(id*id) % c.Workers})
		out = append(out, d.Worker)
		if end {
			r.Finished(id)
		}
	}
	return out
}

func mode(m Mode, workers int) Config {
	c := Defaults()
	c.Mode, c.Workers, c.Seed = m, workers, workload.Seed(5)
	return c
}

func counts(workers []int, n int) []int {
	out := make([]int, n)
	for _, w := range workers {
		out[w]++
	}
	return out
}

func TestModes(t *testing.T) {
	const n = 30_000
	if got := workersOf(t, mode(RoundRobin, 3), 7, true); !slices.Equal(got, []int{0, 1, 2, 0, 1, 2, 0}) {
		t.Errorf("round-robin: %v", got)
	}
	if got := workersOf(t, mode(Direct, 5), 5, true); !slices.Equal(got, []int{0, 1, 4, 4, 1}) {
		t.Errorf("direct: %v", got)
	}
	even := func(name string, got []int, tolerance int) {
		for _, c := range got {
			if c < n/len(got)-tolerance || c > n/len(got)+tolerance {
				t.Errorf("%s: %v, want %d ± %d each", name, got, n/len(got), tolerance)
			}
		}
	}
	// Idle workers all the time: any of them. Five standard deviations.
	for _, m := range []Mode{Random, LeastLoaded, PowerOfTwo, KV} {
		even(m.String(), counts(workersOf(t, mode(m, 6), n, true), 6), 325)
	}
	// Requests that never end.
	even("random, lasting", counts(workersOf(t, mode(Random, 6), n, false), 6), 325)
	even("least-loaded, lasting", counts(workersOf(t, mode(LeastLoaded, 6), n, false), 6), 0)
	even("power-of-two, lasting", counts(workersOf(t, mode(PowerOfTwo, 6), n, false), 6), 5)
	if got := workersOf(t, mode(PowerOfTwo, 1), 3, false); !slices.Equal(got, []int{0, 0, 0}) {
		t.Errorf("power-of-two of one: %v", got)
	}
}

// The two are always different: the busiest worker is never taken.
func TestPowerOfTwoAvoidsTheBusiest(t *testing.T) {
	r := mustNew(t, mode(PowerOfTwo, 4))
	r.workers[2].requests = 100
	for id := range uint64(1000) {
		if d := mustRoute(t, r, Request{ID: id, Tokens: 1}); d.Worker == 2 {
			t.Fatalf("request %d goes to the busiest worker", id)
		}
		r.Finished(id)
	}
}

func TestSeed(t *testing.T) {
	for _, m := range []Mode{Random, LeastLoaded, PowerOfTwo, KV} {
		for _, temperature := range []float64{0, 0.5} {
			c := mode(m, 7)
			c.Temperature = temperature
			a, b := workersOf(t, c, 500, false), workersOf(t, c, 500, false)
			if !slices.Equal(a, b) {
				t.Errorf("%v: two runs of one seed differ", m)
			}
			c.Seed = workload.Seed(6)
			if slices.Equal(a, workersOf(t, c, 500, false)) {
				t.Errorf("%v: another seed changes nothing", m)
			}
		}
	}
}

// The draws for a request depend on its ID, not on those before it.
func TestDrawsDoNotDependOnHistory(t *testing.T) {
	c := mode(Random, 9)
	all := workersOf(t, c, 100, true)
	r := mustNew(t, c)
	for id := uint64(99); id > 0; id -= 3 {
		if d := mustRoute(t, r, Request{ID: id, Tokens: 1}); d.Worker != all[id] {
			t.Errorf("request %d goes to %d alone and to %d among others", id, d.Worker, all[id])
		}
	}
}

// Modes that do not weigh caches say what the index knows of the worker.
func TestOverlapInOtherModes(t *testing.T) {
	r := mustNew(t, mode(Direct, 2))
	q := Request{ID: 1, Blocks: chain(1, 4), Tokens: 256, Direct: 1}
	r.index.apply(1, Event{Kind: Stored, Blocks: q.Blocks[:3]})
	if d := mustRoute(t, r, q); d.Overlap.Device != 3 || d.Costs != nil {
		t.Errorf("%+v, want an overlap of 3 and no costs", d)
	}
}

func TestDecisionAllocatesNothing(t *testing.T) {
	for _, events := range []bool{true, false} {
		c := mode(KV, 64)
		c.UseKVEvents = events
		r := mustNew(t, c)
		q := Request{ID: 1, Blocks: chain(1, 100), Tokens: 6400}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := r.Route(0, q); err != nil {
				t.Fatal(err)
			}
			r.PrefillDone(1)
			r.Finished(1)
		}); n > 0 {
			t.Errorf("events %v: %v allocations for a request", events, n)
		}
	}
}
