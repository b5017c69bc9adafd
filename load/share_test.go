package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"headway/record"
	"headway/workload"
)

// keyed answers a request after times that follow from its prompt alone, so that
// replies do not depend on who sends it or beside what.
type keyed struct{}

func (keyed) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	tape.Start = tape.Clock.Now()
	tape.Sent = tape.Start
	go func() {
		defer done()
		draw := r.Prompt.Key.Rand()
		ok := true
		for range 1 + draw.IntN(5) {
			if ok = ok && sleep(ctx, time.Duration(1+draw.Int64N(int64(200*time.Millisecond)))); ok {
				tape.Arrive(record.Arrival{At: tape.Clock.Now(), Tokens: 1}, nil, nil, []byte("x"))
			}
		}
		tape.Streamed, tape.Outcome = true, record.OK
		tape.TokensIn, tape.TokensOut = r.Prompt.Length(), len(tape.Arrivals)
		switch {
		case !ok:
			tape.Fail(&record.Failure{Class: record.ClassCancelled, Code: 499})
		case draw.IntN(20) == 0:
			tape.Fail(&record.Failure{Class: record.ClassHTTP5, Code: 500, Type: "InternalServerError"})
		}
		tape.Done = tape.Clock.Now()
	}()
}

// kept holds Records in memory.
type kept struct {
	mu   sync.Mutex
	list []*record.Record
}

func (k *kept) Take(r *record.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Text = nil
	k.list = append(k.list, r)
	return nil
}

// drive runs plans beside each other from one instant and returns all their
// Records by phase and index.
func drive(t *testing.T, plans ...workload.Plan) (list []*record.Record, err error) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		sink, clock := &kept{}, record.NewClock()
		errs := make([]error, len(plans))
		for i, p := range plans {
			all.Go(func() {
				g := &Generator{Target: keyed{}, Sink: sink, Clock: clock, wait: waitTimer}
				_, errs[i] = g.Run(t.Context(), p)
			})
		}
		all.Wait()
		list, err = sink.list, errors.Join(errs...)
	})
	slices.SortFunc(list, func(a, b *record.Record) int {
		return cmp.Or(cmp.Compare(b2i(b.Warmup), b2i(a.Warmup)), cmp.Compare(a.Index, b.Index))
	})
	return list, err
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// splitPlan is a plan that splits into as many parts as 64 or fewer: with times that do
// not depend on replies, or a closed loop whose slots have their own sessions.
func splitPlan(rt *rapid.T) workload.Plan {
	s := workload.Synthetic{
		Key: workload.Seed(rapid.Uint64().Draw(rt, "seed")), Requests: rapid.IntRange(1, 300).Draw(rt, "requests"),
		ISL: workload.Length{Mean: 100, SD: 30}, OSL: workload.Length{Mean: 5},
		Turns:          workload.Length{Mean: float64(rapid.IntRange(1, 4).Draw(rt, "turns")), SD: 1},
		TurnDelay:      time.Duration(rapid.IntRange(0, 300).Draw(rt, "delay_ms")) * time.Millisecond,
		TurnDelayRatio: 1, CancelRate: rapid.SampledFrom([]float64{0, 0.1}).Draw(rt, "cancelled"),
	}
	warm := s
	warm.Key, warm.Requests = s.Key.Named("warm-up"), rapid.IntRange(0, 60).Draw(rt, "warm-up")
	ramp := time.Duration(rapid.IntRange(0, 3).Draw(rt, "ramp_s")) * time.Second
	p := workload.Plan{Grace: rapid.SampledFrom([]time.Duration{-1, 0, 150 * time.Millisecond}).Draw(rt, "grace")}
	if rapid.Bool().Draw(rt, "timed") {
		s.Arrivals = workload.Arrivals{
			Pattern: rapid.SampledFrom([]workload.Pattern{workload.Constant, workload.Poisson,
				workload.Gamma}).Draw(rt, "arrivals"),
			Rate: rapid.Float64Range(1, 500).Draw(rt, "rate"), Shape: 0.5, Ramp: ramp,
		}
		warm.Arrivals = s.Arrivals
		// A bound that nothing reaches: what waits for it depends on replies.
		p.Concurrency = rapid.SampledFrom([]int{0, 64 * 400}).Draw(rt, "bound")
	} else {
		p.Concurrency, p.Bound = rapid.IntRange(64, 100).Draw(rt, "slots"), true
		p.ConcurrencyRamp = ramp
		p.Duration = time.Duration(rapid.IntRange(0, 5000).Draw(rt, "duration_ms")) * time.Millisecond
		// Some end at the instant at which a place opens.
		place := rapid.IntRange(0, p.Concurrency-1).Draw(rt, "place")
		if p.Duration > 0 && ramp > 0 && place%2 == 1 {
			p.Duration = workload.Places{}.Opens(place, p.Concurrency, ramp)
		}
	}
	p.Source = s.Source()
	// Slots of a closed loop leave a warm-up when their own part of it is done, so
	// that the end of a duration depends on the parts.
	if warm.Requests > 0 && p.Duration == 0 {
		p.Warmup = &workload.LeadIn{Source: workload.InPhase(warm.Source(), workload.Warmup), Requests: warm.Requests}
	}
	return p
}

// A plan that is driven in parts sends the same requests at the same times and gets the
// same Records. So it has the same figures to the last bit, which depend on the set of
// Records alone (metric.TestTheOrderOfRecordsDoesNotMatter).
func TestPartsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := splitPlan(rt)
		whole, err := drive(t, p)
		if err != nil {
			rt.Fatal(err)
		}
		for _, n := range []int{1, 2, 7, 64} {
			plans := make([]workload.Plan, n)
			for i := range plans {
				if plans[i], err = (workload.Share{Index: i, Of: n}).Plan(p); err != nil {
					rt.Fatal(err)
				}
			}
			parts, err := drive(t, plans...)
			if err != nil {
				rt.Fatal(err)
			}
			if err := same(whole, parts); err != nil {
				rt.Fatalf("%d parts: %v", n, err)
			}
		}
	})
}

// same compares Records one by one.
func same(whole, parts []*record.Record) error {
	if len(whole) != len(parts) {
		return fmt.Errorf("%d records, of the whole %d", len(parts), len(whole))
	}
	for i, r := range whole {
		if !reflect.DeepEqual(r, parts[i]) {
			return fmt.Errorf("the record is\n%+v, of the whole\n%+v", *parts[i], *r)
		}
	}
	return nil
}

// Slots with their own sessions open in the order of the ramp, go on with what is
// theirs whatever the others do, and an end leaves a Record of everything.
func TestBoundSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: time.Second}, &memory{}
		f.fail = func(r workload.Request) bool { return r.Index == 5 }
		begin := time.Now()
		g := newGenerator(f, m)
		_, err := g.Run(t.Context(), workload.Plan{Source: closedLoop(20), Requests: 20, Concurrency: 4, Bound: true,
			ConcurrencyRamp: 300 * time.Millisecond, Duration: 2500 * time.Millisecond, Grace: -1})
		if err != nil || len(m.records) != 20 {
			t.Fatalf("%d records, %v", len(m.records), err)
		}
		slices.SortFunc(m.records, func(a, b *record.Record) int { return a.Index - b.Index })
		for i, r := range m.records {
			slot, round := i%4, i/4
			at := time.Duration(slot)*100*time.Millisecond + time.Duration(round)*time.Second
			switch {
			case at > 2500*time.Millisecond:
				if r.Outcome != record.Dropped {
					t.Errorf("request %d is %v", i, r.Outcome)
				}
			case g.Clock.Wall(r.Start).Sub(begin) != at:
				t.Errorf("request %d was sent at %v, want %v", i, g.Clock.Wall(r.Start).Sub(begin), at)
			}
		}
	})
}

// What falls on the very end of the duration is not sent, whatever made it due: a place of
// the ramp, a planned time, a reply or a pause. Timers of one instant fire in any order,
// so that each case is tried again and again.
func TestNothingIsSentAtTheEnd(t *testing.T) {
	const second = time.Second
	talk := func(yield func(workload.Request, error) bool) {
		for i := range 2 {
			if !yield(workload.Request{Index: i, Session: "a", Turn: i, Turns: 2, Delay: second}, nil) {
				return
			}
		}
	}
	for name, tt := range map[string]struct {
		plan    workload.Plan
		latency time.Duration
		sent    int
	}{
		"a place of its own": {workload.Plan{Source: closedLoop(9), Concurrency: 3, Bound: true,
			ConcurrencyRamp: 2 * second, Duration: second}, 5 * second, 1},
		"a place of anyone": {workload.Plan{Source: closedLoop(9), Concurrency: 3,
			ConcurrencyRamp: 2 * second, Duration: second}, 5 * second, 1},
		"a place to be sent in": {workload.Plan{Source: closedLoop(9), Concurrency: 3, PrefillConcurrency: 3,
			PrefillRamp: 2 * second, Duration: second}, 5 * second, 1},
		"a reply": {workload.Plan{Source: closedLoop(9), Concurrency: 2, Duration: second}, second, 2},
		"a reply to a slot of its own": {workload.Plan{Source: closedLoop(9), Concurrency: 2, Bound: true,
			Duration: second}, second, 2},
		"a planned time": {workload.Plan{Source: every(9, second), Duration: 3 * second}, second / 2, 2},
		"a pause":        {workload.Plan{Source: talk, Concurrency: 1, Duration: 2 * second}, second, 1},
		"a last instant": {workload.Plan{Source: every(9, second), Duration: 3*second + 1}, second / 2, 3},
	} {
		for range 30 {
			synctest.Test(t, func(t *testing.T) {
				f, m := &fakeTarget{latency: tt.latency, firstToken: tt.latency / 2}, &memory{}
				p := tt.plan
				p.Grace = -1
				for range p.Source {
					p.Requests++
				}
				if _, err := newGenerator(f, m).Run(t.Context(), p); err != nil {
					t.Error(err)
				}
				if len(f.starts) != tt.sent || len(m.records) != p.Requests {
					t.Errorf("%s: %d were sent, want %d; %d records of %d", name, len(f.starts), tt.sent,
						len(m.records), p.Requests)
				}
			})
		}
	}
}
