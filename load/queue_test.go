package load

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"headway/record"
	"headway/workload"
)

// The sizes that weigh adds up are those of the types.
func TestWeigh(t *testing.T) {
	if a, p := unsafe.Sizeof(record.Arrival{}), unsafe.Sizeof(record.Piece{}); a != 40 || p != 24 {
		t.Errorf("an arrival takes %d bytes, a piece %d", a, p)
	}
	if s := unsafe.Sizeof(record.Record{}) + unsafe.Sizeof(record.Text{}); s < 450 || s > 750 {
		t.Errorf("a Record without anything takes %d bytes", s)
	}
	r := &record.Record{Arrivals: make([]record.Arrival, 0, 100),
		Text: &record.Text{Prompt: "12345", Content: make([]byte, 7)}}
	if got := weigh(r) - weigh(&record.Record{}); got != 4012 {
		t.Errorf("100 arrivals and 12 bytes weigh %d", got)
	}
}

// patient takes a second for each Record and sees the most that stood waiting
// in memory.
type patient struct {
	memory
	g    *Generator
	most int64
}

func (p *patient) Take(r *record.Record) error {
	p.most = max(p.most, p.g.Snapshot().Finished-int64(len(p.records)))
	time.Sleep(time.Second)
	return p.memory.Take(r)
}

// run of a plan of requests of 100 ms whose Records take a second each.
func pileUp(t *testing.T, ctx context.Context, plan workload.Plan, room int) (*patient, Outcome) {
	t.Helper()
	p := &patient{}
	p.g = newGenerator(&fakeTarget{latency: 100 * time.Millisecond}, p)
	p.g.Room = room
	out, err := p.g.Run(ctx, plan)
	if err != nil || len(p.records) != plan.Requests {
		t.Fatalf("%+v, %v, %d records", out, err, len(p.records))
	}
	return p, out
}

// Where the Sink is slower than the wire, requests are held back, so that
// memory has a bound, and it is said.
func TestRoomIsKept(t *testing.T) {
	const n = 100
	turns := func(yield func(workload.Request, error) bool) {
		for i := range n {
			if !yield(workload.Request{Index: i, Session: "one", Turn: i, Turns: n}, nil) {
				return
			}
		}
	}
	for name, tt := range map[string]struct {
		plan  workload.Plan
		bound int64
	}{
		// What is in flight when the room is full still ends.
		"slots":     {workload.Plan{Source: closedLoop(n), Concurrency: 4}, 10 + 4 + 1},
		"one slot":  {workload.Plan{Source: closedLoop(n), Concurrency: 1}, 10 + 1 + 1},
		"schedule":  {workload.Plan{Source: every(n, 50*time.Millisecond)}, 10 + 2 + 2},
		"turns":     {workload.Plan{Source: turns, Concurrency: 1}, 10 + 1 + 1},
		"all slots": {workload.Plan{Source: closedLoop(n), Concurrency: 30}, 30 + 30},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.plan.Requests = n
				// Of ten Records of one arrival and a byte of text.
				room := 10 *
					int(weigh(&record.Record{Arrivals: make([]record.Arrival, 1),
						Text: &record.Text{Content: make([]byte, 8), Pieces: make([]record.Piece, 1)}}))
				p, out := pileUp(t, t.Context(), tt.plan, room)
				b := out.Backlog
				if p.most > tt.bound || b.Records > int(tt.bound) || b.Bytes <= room || b.Room != room {
					t.Errorf("%d Records waited, of %d; %+v", p.most, tt.bound, b)
				}
				if b.HeldRequests == 0 || b.Held < 50*time.Second || b.Held > n*time.Second {
					t.Errorf("held back: %+v", b)
				}
				held := false
				for _, r := range p.records {
					held = held || r.Start-r.Planned >= 5e8
				}
				if !held {
					t.Error("the wait is in no request's lateness")
				}
			})
		})
	}
}

// With room for all nothing is held back, and what waited is said.
func TestRoomForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, out := pileUp(t, t.Context(), workload.Plan{Source: closedLoop(50), Requests: 50, Concurrency: 4}, 0)
		if b := out.Backlog; b.HeldRequests != 0 || b.Held != 0 || b.Records < 40 || b.Bytes < 40*600 ||
			b.Room != usualRoom {
			t.Errorf("%+v", b)
		}
	})
}

// Requests that are held back are let go when the run is ended.
func TestHeldBackAndInterrupted(t *testing.T) {
	for name, plan := range map[string]workload.Plan{
		"slots":    {Source: closedLoop(60), Requests: 60, Concurrency: 2},
		"schedule": {Source: every(60, 50*time.Millisecond), Requests: 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(2500*time.Millisecond, cancel)
				p, out := pileUp(t, ctx, plan, 1)
				if b := out.Backlog; !out.Cancelled || b.HeldRequests == 0 || b.Held > 2500*time.Millisecond {
					t.Errorf("%+v, %d waited", out, p.most)
				}
			})
		})
	}
}
