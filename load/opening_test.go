package load

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
	"headway/workload"
)

// preparing takes its time to make a request, and none to send it.
type preparing struct {
	*fakeTarget
	prepared int
}

func (p *preparing) Prepare(r workload.Request, tape *record.Tape, done func()) func(context.Context) {
	p.mu.Lock()
	p.prepared++
	p.mu.Unlock()
	sleep(context.Background(), 10*time.Millisecond)
	return func(ctx context.Context) { p.Start(ctx, r, tape, done) }
}

// The requests of a burst are made before its barrier, and all sent at it.
func TestBurstIsPrepared(t *testing.T) {
	for _, tt := range []struct {
		slots, prepared int
		ramp            time.Duration
	}{{burst, burst, 0}, {2 * burst, 2 * burst, 0}, {burst - 1, 0, 0}, {burst, 0, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			p, m, begin := &preparing{fakeTarget: &fakeTarget{latency: time.Second}}, &memory{}, time.Now()
			n := 3 * tt.slots
			out, err := newGenerator(p, m).Run(t.Context(),
				workload.Plan{Source: closedLoop(n), Requests: n, Concurrency: tt.slots, ConcurrencyRamp: tt.ramp})
			if err != nil || len(m.records) != n || p.peak != tt.slots || p.prepared != tt.prepared {
				t.Fatalf("%+v, %v: %d records, %d at once, %d prepared", out, err, len(m.records), p.peak, p.prepared)
			}
			if tt.ramp > 0 {
				return
			}
			barrier := begin.Add(time.Duration(tt.prepared) * 10 * time.Millisecond)
			for i, s := range p.starts[:tt.slots] {
				if !s.Equal(barrier) {
					t.Errorf("%d slots: slot %d started %v after the barrier", tt.slots, i, s.Sub(barrier))
				}
			}
			seen := make([]bool, n)
			for _, r := range m.records {
				if r.Planned != r.Start || r.Planned < out.Begin || seen[r.Index] || r.Outcome != record.OK {
					t.Errorf("request %d: planned %d, started %d, run from %d, %v", r.Index, r.Planned, r.Start,
						out.Begin, r.Outcome)
				}
				seen[r.Index] = true
			}
		})
	}
}

// A run that ends before its barrier sends nothing of what it made, and has a
// Record of everything.
func TestInterruptWhilePreparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(305*time.Millisecond, cancel)
		p, m := &preparing{fakeTarget: &fakeTarget{latency: time.Second}}, &memory{}
		out, err := newGenerator(p, m).Run(ctx, workload.Plan{Source: closedLoop(500), Requests: 500, Concurrency: 100})
		if err != nil || !out.Cancelled || len(m.records) != 500 || len(p.starts) != 0 || p.prepared == 0 {
			t.Errorf("%+v, %v: %d records, %d sent, %d prepared", out, err, len(m.records), len(p.starts), p.prepared)
		}
	})
}
