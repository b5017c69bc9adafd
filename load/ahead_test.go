package load

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
	"headway/workload"
)

// bursts are n requests at each of some moments, with a prompt of so many bytes.
func bursts(n, bytes int, at ...time.Duration) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		text := strings.Repeat("x", bytes)
		for i := range n * len(at) {
			r := workload.Request{Index: i, Session: fmt.Sprint(i), Turns: 1, Timed: true, At: at[i/n],
				Prompt: workload.Prompt{Text: text}}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Requests of a burst are made before their time, however long that takes, and
// all sent at it.
func TestScheduleIsMadeAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, m := &preparing{fakeTarget: &fakeTarget{latency: 10 * time.Millisecond}}, &memory{}
		// 200 take 2 s to make: the first burst before the clock starts, the
		// second in the 2 s between the two.
		out, err := newGenerator(p, m).Run(t.Context(),
			workload.Plan{Source: bursts(200, 10, 0, 2100*time.Millisecond), Requests: 400})
		if err != nil || len(m.records) != 400 || p.prepared != 400 {
			t.Fatalf("%+v, %v: %d records, %d prepared", out, err, len(m.records), p.prepared)
		}
		for _, r := range m.records {
			if r.Start != r.Planned || r.Outcome != record.OK {
				t.Errorf("request %d: planned %d, started %d, %v", r.Index, r.Planned, r.Start, r.Outcome)
			}
		}
	})
}

// The clock waits for the beginning of the schedule and not for all of it.
func TestLeadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, m, began := &preparing{fakeTarget: &fakeTarget{}}, &memory{}, time.Now()
		if _, err := newGenerator(p, m).Run(t.Context(),
			workload.Plan{Source: every(1000, 100*time.Millisecond), Requests: 1000}); err != nil {
			t.Fatal(err)
		}
		// Ten are planned within a second, and each takes 10 ms to make.
		if wait := p.starts[0].Sub(began) - 100*time.Millisecond; wait > 200*time.Millisecond {
			t.Errorf("the clock started after %v", wait)
		}
	})
}

// What is made ahead has a bound in bytes, and one request that is larger than
// it goes through. It also has one in time: making what is sent in a minute would
// take the processor from what is sent now.
func TestAheadIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		source         workload.Source
		requests, most int
	}{
		"bytes": {bursts(8, 20<<20, 0), 8, 5},
		"large": {bursts(4, 2*aheadBytes, 0), 4, 3},
		"time":  {every(500, 20*time.Millisecond), 500, 53},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, m := &preparing{fakeTarget: &fakeTarget{latency: time.Second}}, &memory{}
			most := 0
			made := func(ctx context.Context, until time.Time) bool {
				ok := waitTimer(ctx, until)
				// What waits for its time has been made, what was sent is gone.
				p.mu.Lock()
				defer p.mu.Unlock()
				most = max(most, p.prepared-len(p.starts))
				return ok
			}
			g := newGenerator(p, m)
			g.wait = made
			if _, err := g.Run(t.Context(), workload.Plan{Source: tt.source, Requests: tt.requests}); err != nil ||
				len(m.records) != tt.requests {
				t.Errorf("%v, %d records", err, len(m.records))
			}
			if most > tt.most {
				t.Errorf("%s: %d were made ahead", name, most)
			}
		})
	}
}

// A schedule that ends early has a Record of everything, what was made ahead
// included, before its clock and after.
func TestInterruptAhead(t *testing.T) {
	for _, after := range []time.Duration{55 * time.Millisecond, 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(after, cancel).Stop()
			p, m := &preparing{fakeTarget: &fakeTarget{latency: time.Second}}, &memory{}
			out, err := newGenerator(p, m).Run(ctx,
				workload.Plan{Source: every(500, 20*time.Millisecond), Requests: 500})
			seen := make([]bool, 500)
			for _, r := range m.records {
				if seen[r.Index] {
					t.Errorf("request %d has two records", r.Index)
				}
				seen[r.Index] = true
			}
			if err != nil || !out.Cancelled || len(m.records) != 500 {
				t.Errorf("after %v: %+v, %v, %d records", after, out, err, len(m.records))
			}
		})
	}
}
