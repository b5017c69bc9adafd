package cluster

import (
	"math"
	"strconv"
	"testing"
	"time"

	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// loop is a closed loop of equal requests: all replies of a step end together.
func loop(requests, concurrency int) workload.Plan {
	p := synthetic(workload.Synthetic{Requests: requests, ISL: workload.Length{Mean: 500},
		OSL: workload.Length{Mean: 20}})
	p.Requests, p.Concurrency, p.Grace = requests, concurrency, -1
	return p
}

// together is how many requests come to the router in the nanosecond in which
// another does.
func together(records []*record.Record) (n int) {
	seen := map[record.Time]bool{}
	for _, r := range records {
		if seen[r.Ack] {
			n++
		}
		seen[r.Ack] = true
	}
	return n
}

// Requests of a closed loop come one by one, and without a front end in
// lock-step.
func TestFrontendEndsLockStep(t *testing.T) {
	c := small(2, router.RoundRobin)
	records, facts, _ := replayed(t, c, loop(400, 16))
	if n := together(records); n > 0 || facts.Frontend != DefaultFrontend.Seconds() {
		t.Errorf("%d requests came together, with a front end of %g s", n, facts.Frontend)
	}
	mean := 0.0
	for _, r := range records {
		mean += float64(r.Ack-r.Start) / 1e9 / float64(len(records))
	}
	if want := DefaultFrontend.Seconds(); math.Abs(mean-want) > 0.2*want {
		t.Errorf("the mean delay is %g s, want about %g", mean, want)
	}
	c.Frontend = 0
	records, facts, _ = replayed(t, c, loop(400, 16))
	if n := together(records); n < 300 || facts.Frontend != 0 {
		t.Errorf("%d of 400 requests came together without a front end (%g s)", n, facts.Frontend)
	}
}

// Where no reply sets the pace there is none by default; one that is asked for
// is there on a schedule too.
func TestFrontendByDefault(t *testing.T) {
	timed := workload.Plan{Source: list(made(0, 500, 5), made(10, 500, 5), made(20, 500, 5))}
	talk := synthetic(workload.Synthetic{Requests: 8, Turns: workload.Length{Mean: 4}})
	talk.Requests, talk.Concurrency = 8, 8
	for name, v := range map[string]struct {
		plan  workload.Plan
		given time.Duration
		want  bool
	}{
		"schedule":        {timed, AutoFrontend, false},
		"one cohort":      {loop(16, 16), AutoFrontend, false},
		"closed loop":     {loop(17, 16), AutoFrontend, true},
		"conversations":   {talk, AutoFrontend, true},
		"given, schedule": {timed, time.Millisecond, true},
		"given, cohort":   {loop(16, 16), time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := small(2, router.RoundRobin)
			c.Frontend = v.given
			records, facts, _ := replayed(t, c, v.plan)
			late := 0
			for _, r := range records {
				if r.Ack > r.Start {
					late++
				}
			}
			if (facts.Frontend > 0) != v.want || (late == len(records)) != v.want || (late > 0) != v.want {
				t.Errorf("front end of %g s, %d of %d requests delayed", facts.Frontend, late, len(records))
			}
		})
	}
}

// A request that is given up on its way never reaches a worker.
func TestGivenUpOnTheWay(t *testing.T) {
	c := small(1, router.KV)
	c.Frontend = time.Second
	p := synthetic(workload.Synthetic{Requests: 40, CancelRate: 1, CancelAfter: 10 * time.Microsecond})
	p.Requests, p.Concurrency = 40, 4
	records, facts, _ := replayed(t, c, p)
	if len(records) != 40 || facts.Workers[0].Requests > 2 {
		t.Errorf("%d Records, and the worker had %d requests", len(records), facts.Workers[0].Requests)
	}
	for _, r := range records {
		if r.Outcome != record.Cancelled {
			t.Errorf("request %d: %v", r.Index, r.Outcome)
		}
	}
}

// What routing is worth on conversations does not hang on the nanosecond in
// which replies end: in lock-step KV-aware routing gains a third of TTFT, and
// loses some with delays of half a millisecond as with ten times as much.
func TestFrontendAndGain(t *testing.T) {
	gain := func(delay time.Duration) float64 {
		var ttft [2]float64
		for i, mode := range []router.Mode{router.RoundRobin, router.KV} {
			c := Defaults()
			c.Workers = 8
			c.Router.Mode = mode
			c.Frontend = delay
			c.TokenArrivals = false
			records, _, _ := replayed(t, c, conversations(200, 64))
			for _, r := range records {
				ttft[i] += float64(r.Arrivals[0].At - r.Start)
			}
		}
		return ttft[0] / ttft[1]
	}
	lockstep, near, far := gain(0), gain(AutoFrontend), gain(5*time.Millisecond)
	t.Logf("gain %.3f in lock-step, %.3f by default, %.3f at 5 ms", lockstep, near, far)
	if lockstep < 1.2 || near > 1 || far > 1 || math.Abs(near-far) > 0.1 {
		t.Errorf("gain %.3f in lock-step, %.3f by default, %.3f at 5 ms", lockstep, near, far)
	}
}

// conversations are sessions of five turns without pauses: 512 tokens at first,
// then 100 more each time, and replies of 100.
func conversations(sessions, concurrency int) workload.Plan {
	const turns = 5
	p := workload.Plan{Requests: sessions * turns, Concurrency: concurrency}
	p.Source = func(yield func(workload.Request, error) bool) {
		for i := range sessions * turns {
			r := workload.Request{Index: i, Session: strconv.Itoa(i / turns), Turn: i % turns, Turns: turns,
				OutputTokens: 100,
				Prompt:       workload.Prompt{Tokens: 100, Key: workload.Seed(1).Index(i)}}
			if r.Turn == 0 {
				r.Prompt.Tokens = 512
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	return p
}
