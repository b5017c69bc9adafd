package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
	"headway/workload"

	"pgregory.net/rapid"
)

// fakeTarget answers after a fixed time, or as the request's text says.
type fakeTarget struct {
	latency, firstToken time.Duration
	fail                func(workload.Request) bool
	failure             *record.Failure // of those; a 500 where it is nil

	mu                      sync.Mutex
	starts                  []time.Time
	inFlight, peak, prefill int
	peakPrefill             int
}

func (f *fakeTarget) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	tape.Start = tape.Clock.Now()
	f.mu.Lock()
	f.starts = append(f.starts, time.Now())
	f.inFlight++
	f.prefill++
	f.peak, f.peakPrefill = max(f.peak, f.inFlight), max(f.peakPrefill, f.prefill)
	f.mu.Unlock()
	go func() {
		defer done()
		ok := sleep(ctx, f.firstToken)
		f.mu.Lock()
		f.prefill--
		f.mu.Unlock()
		if ok {
			tape.Arrive(record.Arrival{At: tape.Clock.Now()}, nil, nil, []byte("x"))
			ok = sleep(ctx, f.latency-f.firstToken)
		}
		f.mu.Lock()
		f.inFlight--
		f.mu.Unlock()
		switch {
		case !ok:
			tape.Fail(&record.Failure{Class: record.ClassCancelled, Code: 499})
		case f.fail != nil && f.fail(r):
			tape.Fail(cmp.Or(f.failure, &record.Failure{Class: record.ClassHTTP5, Code: 500}))
		default:
			tape.Outcome = record.OK
		}
		tape.Done = tape.Clock.Now()
	}()
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

type memory struct {
	records []*record.Record
	err     error
}

func (m *memory) Take(r *record.Record) error {
	m.records = append(m.records, r)
	return m.err
}

func closedLoop(n int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i := 0; n == 0 || i < n; i++ {
			if !yield(workload.Request{Index: i, Session: fmt.Sprint(i), Turns: 1}, nil) {
				return
			}
		}
	}
}

func every(n int, gap time.Duration) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i := range n {
			r := workload.Request{Index: i, Session: fmt.Sprint(i), Turns: 1, Timed: true, At: time.Duration(i+1) * gap}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func newGenerator(t Target, s record.Sink) *Generator {
	return &Generator{Target: t, Sink: s, Clock: record.NewClock(), wait: waitTimer}
}

func TestClosedLoopKeepsEverySlotBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: time.Second}, &memory{}
		begin := time.Now()
		out, err := newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(40), Requests: 40, Concurrency: 10})
		if err != nil || out.Cancelled || out.Aborted != "" {
			t.Fatalf("Run = %+v, %v", out, err)
		}
		if got := time.Since(begin); got != 4*time.Second {
			t.Errorf("40 requests of 1 s on 10 slots took %v", got)
		}
		if f.peak != 10 || len(m.records) != 40 {
			t.Errorf("peak %d, %d records", f.peak, len(m.records))
		}
		for _, s := range f.starts[:10] {
			if !s.Equal(begin) {
				t.Errorf("a slot started %v after the release", s.Sub(begin))
			}
		}
	})
}

func TestScheduleIsAbsolute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: 7 * time.Second}, &memory{}
		begin := time.Now()
		_, err := newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: every(50, 100*time.Millisecond), Requests: 50})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range f.starts {
			if want := time.Duration(i+1) * 100 * time.Millisecond; s.Sub(begin) != want {
				t.Fatalf("request %d started at %v, want %v", i, s.Sub(begin), want)
			}
		}
	})
}

func TestRateWithConcurrencyKeepsPlannedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: time.Second}, &memory{}
		g := newGenerator(f, m)
		out, err := g.Run(t.Context(),
			workload.Plan{Source: every(4, 100*time.Millisecond), Requests: 4, Concurrency: 1})
		if err != nil || f.peak != 1 {
			t.Fatalf("peak %d, %v", f.peak, err)
		}
		for _, r := range m.records {
			want := out.Begin + record.Time((r.Index+1)*1e8)
			if r.Planned != want {
				t.Errorf("request %d: planned %d, want %d", r.Index, r.Planned, want)
			}
		}
	})
}

func TestRampsAndPrefillLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: time.Hour, firstToken: time.Hour}, &memory{}
		begin := time.Now()
		_, err := newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(5), Requests: 5, Concurrency: 5, ConcurrencyRamp: 4 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range f.starts {
			if s.Sub(begin) != time.Duration(i)*time.Second {
				t.Errorf("slot %d opened at %v", i, s.Sub(begin))
			}
		}
		f = &fakeTarget{latency: 10 * time.Second, firstToken: time.Second}
		if _, err = newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(30), Requests: 30, Concurrency: 10, PrefillConcurrency: 2}); err != nil {
			t.Fatal(err)
		}
		if f.peakPrefill != 2 {
			t.Errorf("peak prefill %d", f.peakPrefill)
		}
	})
}

func TestDurationAndGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: 4 * time.Second}, &memory{}
		begin := time.Now()
		out, err := newGenerator(f, m).Run(t.Context(), workload.Plan{Source: closedLoop(0), Endless: true,
			Concurrency: 2, Duration: 10 * time.Second, Grace: time.Second})
		if err != nil || out.Cancelled {
			t.Fatalf("%+v, %v", out, err)
		}
		if got := time.Since(begin); got != 11*time.Second {
			t.Errorf("ended after %v", got)
		}
		outcomes := map[record.Outcome]int{}
		for _, r := range m.records {
			outcomes[r.Outcome]++
		}
		if outcomes[record.OK] != 4 || outcomes[record.Cancelled] != 2 || len(m.records) != 6 {
			t.Errorf("outcomes %v", outcomes)
		}
	})
}

func TestSessionTurnsFollowEachOther(t *testing.T) {
	turns := func(yield func(workload.Request, error) bool) {
		for s := range 3 {
			for turn := range 3 {
				r := workload.Request{Index: s*3 + turn, Session: fmt.Sprint(s), Turn: turn, Turns: 3,
					Delay: time.Second}
				if !yield(r, nil) {
					return
				}
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f, m := &fakeTarget{latency: time.Second}, &memory{}
		f.fail = func(r workload.Request) bool { return r.Session == "1" && r.Turn == 1 }
		begin := time.Now()
		_, err := newGenerator(f, m).Run(t.Context(), workload.Plan{Source: turns, Requests: 9, Concurrency: 3})
		if err != nil || time.Since(begin) != 5*time.Second {
			t.Fatalf("took %v, %v", time.Since(begin), err)
		}
		for _, r := range m.records {
			if dropped := r.Outcome == record.Dropped; dropped != (r.Session == "1" && r.Turn == 2) {
				t.Errorf("session %s turn %d: %v", r.Session, r.Turn, r.Outcome)
			}
		}
	})
}

func TestEndings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel)
		m := &memory{}
		out, err := newGenerator(&fakeTarget{latency: time.Second}, m).Run(ctx,
			workload.Plan{Source: closedLoop(100), Requests: 100, Concurrency: 3})
		if err != nil || !out.Cancelled || len(m.records) != 100 {
			t.Errorf("cancelled run: %+v, %v, %d records", out, err, len(m.records))
		}
		m = &memory{err: errors.New("disk full")}
		if _, err = newGenerator(&fakeTarget{latency: time.Second}, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(0), Endless: true, Concurrency: 3}); err == nil {
			t.Error("a failing Sink did not end the run")
		}
		m = &memory{}
		f := &fakeTarget{latency: time.Second, fail: func(workload.Request) bool { return true }}
		out, err = newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(0), Endless: true, Concurrency: 2, FailedThreshold: 0.5})
		if err != nil || out.Aborted == "" || len(m.records) > 13 {
			t.Errorf("threshold: %+v, %v, %d records", out, err, len(m.records))
		}
		m = &memory{}
		broken := func(yield func(workload.Request, error) bool) {
			if yield(workload.Request{Session: "a", Turns: 1}, nil) {
				yield(workload.Request{}, errors.New("line 2: not JSON"))
			}
		}
		if _, err = newGenerator(&fakeTarget{latency: time.Second}, m).Run(t.Context(),
			workload.Plan{Source: broken, Concurrency: 1}); err == nil || len(m.records) != 1 {
			t.Errorf("broken source: %v, %d records", err, len(m.records))
		}
	})
}

// TestOneRecordPerPlannedRequest drives random plans at a target that fails at
// random, ended at a random moment.
func TestOneRecordPerPlannedRequest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(rt, "requests")
		plan := randomPlan(rt, n)
		end := time.Duration(rapid.IntRange(1, 8000).Draw(rt, "end_ms")) * time.Millisecond
		bad := rapid.IntRange(2, 9).Draw(rt, "bad")
		// The bubble has goroutines of its own, from which rapid may not fail.
		var fault error
		synctest.Test(t, func(*testing.T) { fault = countRecords(plan, n, bad, end) })
		if fault != nil {
			rt.Fatal(fault)
		}
	})
}

func randomPlan(rt *rapid.T, n int) workload.Plan {
	timed := rapid.Bool().Draw(rt, "timed")
	perSession := rapid.IntRange(1, 4).Draw(rt, "turns")
	plan := workload.Plan{
		Requests: n, Concurrency: rapid.IntRange(0, 8).Draw(rt, "concurrency"),
		PrefillConcurrency: rapid.IntRange(0, 3).Draw(rt, "prefill"),
		Duration:           time.Duration(rapid.IntRange(0, 9).Draw(rt, "seconds")) * time.Second,
		ConcurrencyRamp:    time.Duration(rapid.IntRange(0, 3).Draw(rt, "ramp")) * time.Second,
	}
	if !timed {
		plan.Concurrency = max(1, plan.Concurrency)
	}
	plan.Source = func(yield func(workload.Request, error) bool) {
		for i := range n {
			first := i - i%perSession
			r := workload.Request{Index: i, Session: fmt.Sprint(first), Turn: i % perSession,
				Turns: min(perSession, n-first), Delay: 100 * time.Millisecond}
			r.Timed, r.At = timed && r.Turn == 0, time.Duration(i)*50*time.Millisecond
			if !yield(r, nil) {
				return
			}
		}
	}
	if k := rapid.IntRange(-1, 20).Draw(rt, "warm-up"); k >= 0 {
		src := closedLoop(k)
		if timed {
			src = every(k, 50*time.Millisecond)
		}
		plan.Warmup = &workload.LeadIn{Source: workload.InPhase(src, workload.Warmup), Requests: k, Endless: k == 0,
			Settle: k == 0 || rapid.Bool().Draw(rt, "settle"), Block: 2}
		if !timed && rapid.Bool().Draw(rt, "cooldown") {
			plan.Cooldown = workload.InPhase(closedLoop(0), workload.Warmup)
		}
	}
	return plan
}

func countRecords(plan workload.Plan, n, bad int, end time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), end)
	defer cancel()
	f := &fakeTarget{latency: 400 * time.Millisecond, firstToken: 100 * time.Millisecond,
		fail: func(r workload.Request) bool { return r.Index%bad == 0 }}
	m := &memory{}
	g := newGenerator(f, m)
	handed := false
	g.Handover = func() { handed = true }
	out, err := g.Run(ctx, plan)
	if err != nil {
		return err
	}
	seen, warm := make([]int, n), 0
	for _, r := range m.records {
		if r.Warmup {
			warm++
			continue
		}
		seen[r.Index]++
	}
	if w := plan.Warmup; w != nil && warm != max(w.Requests, out.Warmup.Requests)+out.Cooldown {
		// A warm-up that settled leaves the rest of its requests unsent.
		if !(w.Settle && warm == w.Requests) {
			return fmt.Errorf("%d records of a warm-up of %d requests, %d of them sent", warm, w.Requests,
				out.Warmup.Requests)
		}
	}
	for i, k := range seen {
		if k != 1 {
			return fmt.Errorf("request %d has %d records", i, k)
		}
	}
	if !handed {
		return nil // the counts are those of the warm-up
	}
	if s := g.Snapshot(); s.InFlight != 0 || s.Waiting != 0 || s.Finished != int64(n) || s.Sent+s.Dropped != int64(n) {
		return fmt.Errorf("snapshot %+v after the end", s)
	}
	return nil
}
