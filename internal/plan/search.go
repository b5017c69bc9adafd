package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Searched counts what became of the candidates.
type Searched struct {
	Candidates int `json:"candidates"`
	// Bounded were left out by the bound, Ended replayed up to the first window that
	// they lost, Replayed in full, and Dearer left out since a cheaper one is enough.
	Bounded  int `json:"left_out_by_the_bound"`
	Ended    int `json:"replayed_until_lost"`
	Replayed int `json:"replayed_in_full"`
	Dearer   int `json:"left_out_as_dearer"`
}

// candidates are all that the bounds allow, the cheapest first; among those of a cost
// the order of the layouts, then of the tiers, of the mappings and of the routers.
func (a *Asked) candidates(bounds []Bound, s *Searched) (all []Candidate) {
	for _, k := range a.kinds() {
		for m, b := range bounds {
			for r := range a.Routers {
				for _, c := range a.sizes(Candidate{Mapping: m, Router: r, Tiers: k.tiers}, k.layout) {
					s.Candidates++
					if b.leavesOut(c) {
						s.Bounded++
						continue
					}
					all = append(all, c)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Candidate) int { return cmp.Compare(a.gpus(x), a.gpus(y)) })
	return all
}

// kinds are the layouts, without tiers, then with more and more of them.
func (a *Asked) kinds() (all []kind) {
	tiers := 0
	for _, m := range a.Mappings {
		tiers = max(tiers, len(m.Tiers))
	}
	for _, l := range a.Layouts {
		for n := range tiers + 1 {
			all = append(all, kind{l, n})
		}
	}
	return all
}

// sizes are a candidate with all numbers of replicas, in their order, then in that of
// those for prompts.
func (a *Asked) sizes(c Candidate, l Layout) (all []Candidate) {
	for c.Replicas = 1; c.Replicas <= a.MaxReplicas; c.Replicas++ {
		if l == Aggregated {
			all = append(all, c)
			continue
		}
		for c.Prefill = 1; c.Prefill < c.Replicas; c.Prefill++ {
			all = append(all, c)
		}
	}
	return all
}

// leavesOut says that a candidate has too few replicas.
func (b *Bound) leavesOut(c Candidate) bool {
	if c.Prefill > 0 && (c.Prefill < b.Prefill || c.Replicas-c.Prefill < b.Decode) {
		return true
	}
	return c.Replicas < b.Replicas || b.Impossible != ""
}

// search finds the first candidate that loses no window. Several are replayed at a time;
// which is found does not depend on that.
func (a *Asked) search(ctx context.Context, all []Candidate, s *Searched) (*Candidate, []Lost, error) {
	steps := make([]*step, len(all))
	found, err := a.first(ctx, len(all), func(ctx context.Context, i int) (bool, error) {
		var err error
		steps[i], err = a.try(ctx, all[i])
		return err == nil && steps[i].Miss == nil, err
	})
	if err != nil {
		return nil, nil, err
	}
	var lost []Lost
	for i, st := range steps {
		switch {
		case i > found && found >= 0 || st == nil:
			s.Dearer++
			continue
		case st.Full:
			s.Replayed++
		default:
			s.Ended++
		}
		if st.Miss != nil {
			lost = append(lost, Lost{Plan: a.name(all[i]), Replicas: all[i].Replicas, Miss: *st.Miss})
		}
	}
	if found < 0 {
		return nil, lost, nil
	}
	return &all[found], lost, nil
}

// Lost is a candidate that loses a window.
type Lost struct {
	Plan     string `json:"plan"`
	Replicas int    `json:"replicas"`
	Miss
}

// try replays the whole load on a candidate, unless that was done before.
func (a *Asked) try(ctx context.Context, c Candidate) (*step, error) {
	return a.Steps.of(fmt.Sprintf("all: %s, mapping %d", a.name(c), c.Mapping), func() (*step, error) {
		o, err := a.replay(ctx, c, &a.Mappings[c.Mapping].Twin.Model, a.Load.whole(), false)
		if err != nil {
			return nil, err
		}
		if o.miss != nil {
			a.tell("%s loses the window from %g s: %s", a.name(c), o.miss.Window, o.miss.Objective)
		}
		return &step{Miss: o.miss, Full: o.stats != nil}, nil
	})
}

// first is the least of n indices that is good, -1 where none is. Several are asked
// about at a time; what is asked about an index above one that is good is cancelled, and
// never what is below.
func (a *Asked) first(ctx context.Context, n int, good func(context.Context, int) (bool, error)) (int, error) {
	f := finder{found: -1, cancels: make([]context.CancelFunc, n)}
	var workers sync.WaitGroup
	for range min(a.Parallel, n) {
		workers.Go(func() {
			for i, c, ok := f.take(ctx, n); ok; i, c, ok = f.take(ctx, n) {
				is, err := good(c, i)
				f.put(i, is, err)
			}
		})
	}
	workers.Wait()
	return f.found, f.err
}

// finder hands out indices.
type finder struct {
	mutex   sync.Mutex
	next    int
	found   int
	err     error
	cancels []context.CancelFunc
}

func (f *finder) take(ctx context.Context, n int) (int, context.Context, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.next == n || f.err != nil || f.found >= 0 {
		return 0, nil, false
	}
	i := f.next
	f.next++
	ctx, f.cancels[i] = context.WithCancel(ctx)
	return i, ctx, true
}

func (f *finder) put(i int, good bool, err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.cancels[i]()
	switch {
	case f.found >= 0 && i > f.found:
		return // nobody asks any more
	case err != nil:
		f.err, i = err, -1 // all others are for nothing
	case good:
		f.found = i
	default:
		return
	}
	for k := i + 1; k < f.next; k++ {
		f.cancels[k]()
	}
}
