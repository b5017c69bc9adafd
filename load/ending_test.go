package load

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
	"headway/workload"
)

func TestFaultsAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := func(yield func(workload.Request, error) bool) {
			for r := range closedLoop(5) {
				yield(r, nil)
			}
			yield(workload.Request{}, errors.New("no text"))
		}
		m := &memory{}
		out, err := newGenerator(&fakeTarget{latency: time.Second}, m).Run(t.Context(),
			workload.Plan{Source: broken, Requests: 9, Concurrency: 2})
		if err == nil || !strings.Contains(out.Aborted, "no text") || out.Cancelled || len(m.records) != 5 {
			t.Errorf("a Source that fails: %+v, %v, %d records", out, err, len(m.records))
		}
		m = &memory{err: errors.New("disk full")}
		out, err = newGenerator(&fakeTarget{latency: time.Second}, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(9), Requests: 9, Concurrency: 2})
		if err == nil || !strings.Contains(out.Aborted, "disk full") || len(m.records) != 9 {
			t.Errorf("a Sink that fails: %+v, %v, %d records", out, err, len(m.records))
		}
	})
}

// TestInterruptWhileGathering: a run that waits for the first requests of its
// slots ends when it is told to, and not when they are all made.
func TestInterruptWhileGathering(t *testing.T) {
	for _, timed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2500*time.Millisecond, cancel)
			slow := func(yield func(workload.Request, error) bool) {
				for r := range closedLoop(20) {
					if ctx.Err() == nil {
						if sleep(ctx, time.Second); ctx.Err() != nil {
							synctest.Wait() // until the run has heard of it, too
						}
					}
					r.Timed, r.At = timed, time.Duration(r.Index)*time.Hour
					if !yield(r, nil) {
						return
					}
				}
			}
			m, f, begin := &memory{}, &fakeTarget{latency: time.Second}, time.Now()
			out, err := newGenerator(f, m).Run(ctx, workload.Plan{Source: slow, Requests: 20, Concurrency: 10})
			if err != nil || !out.Cancelled || len(m.records) != 20 || time.Since(begin) != 2500*time.Millisecond {
				t.Errorf("timed %v: %+v, %v, %d records after %v", timed, out, err, len(m.records), time.Since(begin))
			}
			if !timed && len(f.starts) != 0 {
				t.Errorf("%d requests were sent", len(f.starts))
			}
		})
	}
}

// late answers like its target and tells of the end a second after it.
type late struct{ *fakeTarget }

func (l late) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	l.fakeTarget.Start(ctx, r, tape, func() { time.AfterFunc(time.Second, done) })
}

// TestDelayCountsFromTheReply: lateness of this side shows as planned times
// that have passed, and not as a later plan.
func TestDelayCountsFromTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := func(yield func(workload.Request, error) bool) {
			for turn := range 3 {
				r := workload.Request{Index: turn, Session: "s", Turn: turn, Turns: 3, Delay: 300 * time.Millisecond}
				if !yield(r, nil) {
					return
				}
			}
		}
		m := &memory{}
		if _, err := newGenerator(late{&fakeTarget{latency: time.Second}}, m).Run(t.Context(),
			workload.Plan{Source: turns, Requests: 3, Concurrency: 1}); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < 3; i++ {
			before, r := m.records[i-1], m.records[i]
			if pause := r.Planned - before.Done; pause != 3e8 || r.Start-r.Planned != 7e8 {
				t.Errorf("turn %d: planned %d ns after the reply, started %d ns after that", i, pause,
					r.Start-r.Planned)
			}
		}
	})
}

func TestWantIn(t *testing.T) {
	for _, test := range []struct {
		prompt workload.Prompt
		want   int
	}{
		{workload.Prompt{Tokens: 50, Prefix: workload.Prefix{Tokens: 30}, SystemTokens: 20}, 100},
		{workload.Prompt{Text: "made of it", Planned: 100}, 100},
		{workload.Prompt{Text: "given"}, 0},
		{workload.Prompt{Text: "given", SystemTokens: 9}, 0},
	} {
		if got := Dropped(workload.Request{Prompt: test.prompt}, 0); got.PlannedISL != test.want || got.TokensIn != -1 {
			t.Errorf("%+v: want_in %d", test.prompt, got.PlannedISL)
		}
	}
}

func nothing() int64 { return 0 }

// slowSink takes its time, so that Records pile up.
type slowSink struct {
	q    *queue
	most int
}

func (s *slowSink) Take(*record.Record) error {
	s.most = max(s.most, int(s.q.waiting.Load()))
	return nil
}

func TestUnsentRecordsDoNotPileUp(t *testing.T) {
	s := &slowSink{}
	p := newPhase(closedLoop(10*settled), false, 0, workload.Plan{})
	r := &run{Generator: &Generator{}, phases: []*phase{p}, queue: newQueue(s, nil, 0, 0, nothing, func(error) {})}
	s.q = r.queue
	go p.feed(t.Context())
	r.drain(func() {})
	if err := r.queue.close(); err != nil || s.most > settled+1 {
		t.Errorf("%d records stood waiting, %v", s.most, err)
	}
}

// gateSink waits at its first Record until it is let on.
type gateSink struct {
	took       []int
	here, gate chan struct{}
}

func (s *gateSink) Take(r *record.Record) error {
	if len(s.took) == 0 {
		close(s.here)
		<-s.gate
	}
	s.took = append(s.took, r.Index)
	return nil
}

// Where Records pile up, a goroutine without Aside takes over, and none is lost
// or out of order.
func TestQueueAside(t *testing.T) {
	for _, arrivals := range []int{0, 100} {
		calls, ids := 0, map[string]bool{}
		s := &gateSink{here: make(chan struct{}), gate: make(chan struct{})}
		who := sinkFunc(func(r *record.Record) error {
			ids[goroutine()] = true
			return s.Take(r)
		})
		q := newQueue(who, func() { calls++ }, 0, 0, nothing, func(error) {})
		q.heavy = 21*weigh(&record.Record{}) + 1
		q.put(&record.Record{})
		<-s.here
		for i := range 20 {
			q.put(&record.Record{Index: i + 1, Arrivals: make([]record.Arrival, arrivals)})
		}
		close(s.gate)
		if err := q.close(); err != nil || len(s.took) != 21 || !slices.IsSorted(s.took) {
			t.Errorf("%d arrivals: %v, %v", arrivals, s.took, err)
		}
		want := 1
		if arrivals > 0 {
			want = 2
		}
		if calls != 1 || len(ids) != want {
			t.Errorf("%d arrivals: aside was called %d times, %d goroutines took Records, want %d", arrivals, calls,
				len(ids), want)
		}
	}
}

type sinkFunc func(*record.Record) error

func (f sinkFunc) Take(r *record.Record) error { return f(r) }

// goroutine names the caller's.
func goroutine() string {
	b := make([]byte, 64)
	return strings.Fields(string(b[:runtime.Stack(b, false)]))[1]
}
