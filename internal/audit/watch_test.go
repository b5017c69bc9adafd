package audit

import (
	"iter"
	"maps"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headway/metric"
	"headway/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSpread(t *testing.T) {
	cells := map[time.Duration]int64{time.Microsecond: 50, time.Millisecond: 49, time.Second: 1, time.Minute: 0}
	got := spreadOf(cells)
	if want := (record.AuditSpread{Count: 100, P50: 1e-6, P90: 1e-3, P99: 1e-3, Max: 1}); got == nil || *got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if got := spreadOf(map[time.Duration]int64{time.Second: 1}); got.P50 != 1 || got.P99 != 1 {
		t.Errorf("of one: %+v", got)
	}
	if got := spreadOf(map[time.Duration]int64{time.Second: 0}); got != nil {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestThreeDigits(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		-5: 0, 1: time.Microsecond, 999_001: time.Millisecond, 1_234_567: 1_240_000, 12_345_678_901: 12_400_000_000,
	} {
		if got := threeDigits(d); got != want {
			t.Errorf("%v is counted as %v, not %v", d, got, want)
		}
	}
}

// scripted is a clock that has been slept through.
type scripted struct {
	ended []int64
	ago   time.Duration
}

func (s *scripted) wait() (int64, time.Duration, bool) {
	if len(s.ended) == 0 {
		return 0, 0, false
	}
	n := s.ended[0]
	s.ended = s.ended[1:]
	return n, s.ago, true
}

func (*scripted) stop() {}

// Periods that passed while the program slept count with the delay of each.
func TestProbeCountsWhatWasSleptThrough(t *testing.T) {
	p := &probe{timer: &scripted{[]int64{1, 3}, time.Millisecond}, cells: map[time.Duration]int64{}}
	p.wg.Go(p.run)
	got := p.end()
	want := map[time.Duration]int64{time.Millisecond: 2, 11 * time.Millisecond: 1, 21 * time.Millisecond: 1}
	if !maps.Equal(p.cells, want) || got.Count != 4 {
		t.Errorf("%v (%+v), not %v", p.cells, got, want)
	}
}

// counting is a clock whose periods can be counted from outside.
type counting struct {
	clock
	ended atomic.Int64
}

func (c *counting) wait() (int64, time.Duration, bool) {
	n, ago, ok := c.clock.wait()
	c.ended.Add(n)
	return n, ago, ok
}

// The system's own timer fires at the times that are taken for known: no event
// is noticed before it happened, and each once.
func TestProbe(t *testing.T) {
	began := time.Now()
	c, err := newClock(probePeriod)
	if err != nil {
		t.Skip("this system gives no timer:", err)
	}
	timer := &counting{clock: c}
	p := &probe{timer: timer, cells: map[time.Duration]int64{}}
	p.wg.Go(p.run)
	until(t, func() bool { return timer.ended.Load() >= 5 })
	got := p.end()
	took := time.Since(began)
	if got == nil || got.Count < 5 || time.Duration(got.Count)*probePeriod > took {
		t.Fatalf("%+v in %v", got, took)
	}
	if got.Max > took.Seconds() {
		t.Errorf("an event of a probe that ran for %v came %v s late", took, got.Max)
	}
}

// until waits for something without guessing how long it takes.
func until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 10000 {
		if done() {
			return
		}
		<-tick.C
	}
	t.Fatal("it did not happen in ten seconds")
}

func TestWatch(t *testing.T) {
	lags := map[time.Duration]int64{time.Second: 7}
	w := New(Options{
		MaxLag:      time.Hour,
		Lags:        func() iter.Seq2[time.Duration, int64] { return maps.All(lags) },
		Calibration: &Calibration{EventsPerSecond: 1e6, Streams: 100, RequestsPerSecond: 1000},
	})
	if a := w.Audit(record.Header{}, &metric.Result{}); a != nil {
		t.Fatalf("of a phase that never began: %+v", a)
	}
	w.Begin()
	if a := w.Audit(record.Header{}, &metric.Result{}); a != nil {
		t.Errorf("of a phase in which nothing was sent: %+v", a)
	}
	runtime.GC()
	lags[20*time.Microsecond] = 99
	ms := func(v float64) record.Time { return 1 + record.Time(v*1e6) }
	for i := range 3 {
		at := float64(100 * i)
		err := w.Take(&record.Record{Index: i, Outcome: record.OK, Streamed: true, Planned: ms(at), Start: ms(at + 1),
			Sent: ms(at + 2), Done: ms(at + 51),
			Arrivals: []record.Arrival{{At: ms(at + 21), Kind: record.Content},
				{At: ms(at + 51), Kind: record.Content, UserspaceStamp: true}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.End()
	a := w.Audit(record.Header{Rate: 10, Concurrency: 5, Schedule: record.Schedule{Timed: true}}, &metric.Result{})
	if a.Verdict != record.AuditValid || !a.LimitSet || a.Limit != 3600 {
		t.Errorf("%s, bound %v: %+v", a.Verdict, a.Limit, a.Reasons)
	}
	if s := a.Schedule; s == nil || s.Lateness.Count != 3 || !near(s.Lateness.P99, 2e-3) || !near(s.Planned, 0.2) ||
		!near(s.Achieved, 0.2) || !near(s.SentRate, 10) || s.AskedRate != 10 {
		t.Errorf("schedule: %+v", s)
	}
	if l := a.Load; l.Sent != 3 || l.Asked != 5 || l.Peak != 1 || !near(l.Mean, 150.0/250) || !near(l.Requests, 12) ||
		!near(l.Events, 24) {
		t.Errorf("load: %+v", l)
	}
	if a.Arrivals != (record.AuditArrivals{Count: 6, UserspaceStamps: 3}) {
		t.Errorf("arrivals: %+v", a.Arrivals)
	}
	if l := a.ReadLag; l == nil || l.Count != 99 || !near(l.Max, 20e-6) {
		t.Errorf("lag, which was there before the phase with a second: %+v", l)
	}
	if a.Runtime.Pauses == 0 || a.Runtime.PauseTotal <= 0 || a.Runtime.PauseMax <= 0 ||
		a.Runtime.Processors != runtime.GOMAXPROCS(0) {
		t.Errorf("a garbage collection is not in %+v", a.Runtime)
	}
	if runtime.GOOS == "linux" {
		if m := a.Machine; m == nil || m.Files < 3 || m.Process < 0 || m.Host < 0 || m.Host > 1 {
			t.Errorf("machine: %+v", m)
		}
	}
	if c := a.Calibration; c == nil || c.Streams != 100 {
		t.Errorf("calibration: %+v", c)
	}
}

func near(a, b float64) bool { return a > b-1e-6 && a < b+1e-6 }
