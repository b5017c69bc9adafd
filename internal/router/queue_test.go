package router

import (
	"slices"
	"testing"
	"time"
)

// newBusy is a router of two workers that are busy with requests 0 and 1.
func newBusy(t *testing.T, policy QueuePolicy) *Router {
	t.Helper()
	c := mode(KV, 2)
	c.QueueThreshold, c.MaxNumBatchedTokens, c.QueuePolicy = 2, 1000, policy
	r := mustNew(t, c)
	for id := range uint64(2) {
		if d := mustRoute(t, r, Request{ID: id, Tokens: 2001}); d.Queued {
			t.Fatalf("request %d waits though a worker is free", id)
		}
	}
	return r
}

func TestQueueOrder(t *testing.T) {
	// Arrivals are one second apart, from 10 s; IDs count from 10.
	type arrival struct {
		tokens   int
		priority float64
	}
	for _, test := range []struct {
		name   string
		policy QueuePolicy
		in     []arrival
		want   []uint64
	}{
		{"fcfs", FCFS, []arrival{{10, 0}, {10, 0}, {10, 0}}, []uint64{10, 11, 12}},
		{"fcfs, a jump of 1.5 s", FCFS, []arrival{{10, 0}, {10, 0}, {10, 1.5}}, []uint64{10, 12, 11}},
		{"fcfs, a jump of exactly the lead keeps the order", FCFS, []arrival{{10, 0}, {10, 1}}, []uint64{10, 11}},
		{"fcfs, a jump back", FCFS, []arrival{{10, -5}, {10, 0}, {10, 0}}, []uint64{11, 12, 10}},
		{"lcfs", LCFS, []arrival{{10, 0}, {10, 0}, {10, 0}}, []uint64{12, 11, 10}},
		{"lcfs, a jump of 1.5 s", LCFS, []arrival{{10, 1.5}, {10, 0}, {10, 0}}, []uint64{12, 10, 11}},
		{"wspt", WSPT, []arrival{{300, 0}, {100, 0}, {200, 0}}, []uint64{11, 12, 10}},
		{"wspt, weighted", WSPT, []arrival{{300, 5}, {100, 0}, {200, 0}}, []uint64{10, 11, 12}},
		{"wspt, equal", WSPT, []arrival{{100, 0}, {200, 1}, {100, 0}}, []uint64{10, 11, 12}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newBusy(t, test.policy)
			for i, a := range test.in {
				d, err := r.Route(time.Duration(10+i)*time.Second,
					Request{ID: uint64(10 + i), Tokens: a.tokens, Priority: a.priority})
				if err != nil || !d.Queued || d.Worker != -1 {
					t.Fatalf("%+v, %v: want it queued", d, err)
				}
			}
			if _, _, ok := r.Release(20 * time.Second); ok {
				t.Fatal("released though all workers are busy")
			}
			if !r.PrefillDone(1) {
				t.Fatal("request 1 does not run")
			}
			var got []uint64
			for {
				id, d, ok := r.Release(30 * time.Second)
				if !ok {
					break
				}
				if d.Worker != r.sequences[r.known[id]].worker || d.Queued {
					t.Errorf("request %d: %+v", id, d)
				}
				got = append(got, id)
			}
			if !slices.Equal(got, test.want) || r.Waiting() != 0 {
				t.Errorf("released %v, %d wait; want %v", got, r.Waiting(), test.want)
			}
		})
	}
}

// Equal arrivals: first in, first out, and with LCFS the other way.
func TestQueueOfOneMoment(t *testing.T) {
	for policy, want := range map[QueuePolicy][]uint64{FCFS: {10, 11, 12}, LCFS: {12, 11, 10}, WSPT: {10, 11, 12}} {
		r := newBusy(t, policy)
		for id := uint64(10); id < 13; id++ {
			mustRoute(t, r, Request{ID: id, Tokens: 5})
		}
		r.Finished(0)
		var got []uint64
		for id, _, ok := r.Release(0); ok; id, _, ok = r.Release(0) {
			got = append(got, id)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", policy, got, want)
		}
	}
}

func TestQueueHolds(t *testing.T) {
	r := newBusy(t, FCFS)
	mustRoute(t, r, Request{ID: 10, Tokens: 2500})
	mustRoute(t, r, Request{ID: 11, Tokens: 5})
	mustRoute(t, r, Request{ID: 12, Tokens: 5})
	if _, err := r.Route(0, Request{ID: 11, Tokens: 5}); err == nil {
		t.Error("an ID that waits is taken again")
	}
	if !r.Finished(11) || r.Finished(11) || r.Waiting() != 2 {
		t.Errorf("%d wait after one gave up, want 2", r.Waiting())
	}
	if r.PrefillDone(10) || r.OutputBlock(10) {
		t.Error("a waiting request runs")
	}
	r.Finished(0)
	// A late one must not overtake those that wait, though a worker is free.
	if d := mustRoute(t, r, Request{ID: 13, Tokens: 5}); !d.Queued {
		t.Error("a request overtakes those that wait")
	}
	if id, _, ok := r.Release(0); !ok || id != 10 {
		t.Fatalf("released %d, %v, want 10", id, ok)
	}
	// 10 has filled the free worker again.
	if id, _, ok := r.Release(0); ok {
		t.Errorf("released %d though all workers are busy", id)
	}
	r.PrefillDone(1)
	for _, want := range []uint64{12, 13} {
		if id, _, ok := r.Release(0); !ok || id != want {
			t.Errorf("released %d, %v, want %d", id, ok, want)
		}
	}
}

// The limit itself does not hold requests back, and other modes do not queue.
func TestQueueLimit(t *testing.T) {
	c := mode(KV, 1)
	c.QueueThreshold, c.MaxNumBatchedTokens = 2, 1000
	r := mustNew(t, c)
	if mustRoute(t, r, Request{ID: 1, Tokens: 2000}).Queued || mustRoute(t, r, Request{ID: 2, Tokens: 1}).Queued {
		t.Error("queued at the limit")
	}
	if !mustRoute(t, r, Request{ID: 3, Tokens: 1}).Queued {
		t.Error("not queued above the limit")
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.QueueThreshold = 0 },
		func(c *Config) { c.Mode = LeastLoaded },
	} {
		c := c
		change(&c)
		r := mustNew(t, c)
		for id := range uint64(3) {
			if mustRoute(t, r, Request{ID: id, Tokens: 1_000_000}).Queued {
				t.Errorf("%v with threshold %v queues", c.Mode, c.QueueThreshold)
			}
		}
	}
}

// The most sensitive queue holds while every worker has one token to prefill.
func TestAnyPrefillHoldsBack(t *testing.T) {
	c := mode(KV, 2)
	c.QueueThreshold = AnyPrefill
	r := mustNew(t, c)
	for id := range uint64(3) {
		if d := mustRoute(t, r, Request{ID: id, Tokens: 1}); d.Queued != (id == 2) {
			t.Errorf("request %d: queued is %v", id, d.Queued)
		}
	}
}
