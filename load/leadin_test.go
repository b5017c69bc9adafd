package load

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
	"headway/workload"
)

// warming is a warm-up with so many requests, without end where that is 0.
func warming(n int) *workload.LeadIn {
	return &workload.LeadIn{Source: workload.InPhase(closedLoop(n), workload.Warmup), Endless: n == 0, Requests: n}
}

// split parts the Records of the warm-up from the others, in order of start.
func split(m *memory) (warm, measured []*record.Record) {
	slices.SortStableFunc(m.records, func(a, b *record.Record) int { return int(a.Start - b.Start) })
	for _, r := range m.records {
		if r.Warmup {
			warm = append(warm, r)
		} else {
			measured = append(measured, r)
		}
	}
	return warm, measured
}

// A slot goes on from its last warm-up request to a measured one in the same
// instant, so that the load is that of the level throughout.
func TestHandoverHasNoGap(t *testing.T) {
	timed := warming(0)
	timed.Duration = 2 * time.Second
	for _, tt := range []struct {
		name string
		warm *workload.LeadIn
		sent int
		ramp time.Duration
		at   time.Duration // of the handover
		end  string
	}{
		{"requests", warming(6), 6, 750 * time.Millisecond, 1500 * time.Millisecond, record.WarmupRequests},
		{"fewer requests than slots", warming(3), 3, 0, 0, record.WarmupRequests},
		{"duration", timed, 8, 750 * time.Millisecond, 2 * time.Second, record.WarmupDuration},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, m := &fakeTarget{latency: time.Second}, &memory{}
			begin, handed := time.Now(), time.Time{}
			g := newGenerator(f, m)
			g.Handover = func() { handed = time.Now() }
			// The ramp spreads the ends, so that a barrier at the handover shows.
			p := workload.Plan{Source: closedLoop(12), Requests: 12, Concurrency: 4, ConcurrencyRamp: tt.ramp,
				Warmup: tt.warm}
			out, err := g.Run(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			warm, measured := split(m)
			if len(measured) != 12 || len(warm) != tt.sent ||
				*out.Warmup != (record.Warmup{Requests: tt.sent, Seconds: tt.at.Seconds(), EndedBy: tt.end}) {
				t.Errorf("%s: %d warm-up and %d measured requests, %+v", tt.name, len(warm), len(measured), *out.Warmup)
			}
			first := g.Clock.Wall(measured[0].Start)
			if !first.Equal(handed) || !g.Clock.Wall(out.Begin).Equal(handed) || handed.Sub(begin) != tt.at {
				t.Errorf("%s: handed over %v after the begin, first measured request at %v, %+v", tt.name,
					handed.Sub(begin), first.Sub(begin), out)
			}
			for _, r := range m.records {
				if r.Outcome != record.OK {
					t.Errorf("%s: request %d is %v", tt.name, r.Index, r.Outcome)
				}
			}
			busy(t, tt.name, f, begin, 4)
			if s := g.Snapshot(); s.Sent != 12 || s.Finished != 12 || s.InFlight != 0 {
				t.Errorf("%s: the counts are not of what was measured: %+v", tt.name, s)
			}
		})
	}
}

// busy checks that each slot of a level sent its next request when one of its
// replies ended: one start a slot in every second after the ramp.
func busy(t *testing.T, name string, f *fakeTarget, begin time.Time, level int) {
	t.Helper()
	for i, s := range f.starts[level:] {
		if gap := s.Sub(f.starts[i]); gap != time.Second {
			t.Errorf("%s: request %d started %v after that before it on its slot (%v after the begin)", name, i+level,
				gap, s.Sub(begin))
		}
	}
}

// The schedule of what is measured goes on from the last arrival of the warm-up,
// while requests of that are still in flight.
func TestHandoverOfASchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m, begin := &fakeTarget{latency: 7 * time.Second}, &memory{}, time.Now()
		warm := &workload.LeadIn{Source: workload.InPhase(every(5, 100*time.Millisecond), workload.Warmup), Requests: 5}
		out, err := newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: every(10, 100*time.Millisecond), Requests: 10, Warmup: warm})
		if err != nil || out.Warmup.Requests != 5 || out.Warmup.Seconds != 0.5 {
			t.Fatalf("%+v, %v", out, err)
		}
		for i, s := range f.starts {
			if want := time.Duration(i+1) * 100 * time.Millisecond; s.Sub(begin) != want {
				t.Errorf("request %d started at %v, want %v", i, s.Sub(begin), want)
			}
		}
		for _, r := range m.records {
			if want := out.Begin + record.Time((r.Index+1)*1e8); !r.Warmup && r.Planned != want {
				t.Errorf("request %d: planned %d, want %d", r.Index, r.Planned, want)
			}
		}
	})
}

// A start that settles ends when two rounds were alike: with a server that takes
// all alike, that is the second.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, begin := &memory{}, time.Now()
		w := warming(0)
		w.Settle, w.Block = true, 30
		plan := workload.Plan{Source: closedLoop(100), Requests: 100, Concurrency: 30, Warmup: w,
			Cooldown: workload.InPhase(closedLoop(0), workload.Warmup)}
		f := &fakeTarget{latency: time.Second, firstToken: 100 * time.Millisecond}
		out, err := newGenerator(f, m).Run(t.Context(), plan)
		if err != nil || out.Cancelled || out.Warmup.EndedBy != record.WarmupSettled || out.Warmup.Drift != 0 ||
			out.Cooldown == 0 {
			t.Fatalf("%+v, %+v, %v", out, out.Warmup, err)
		}
		warm, measured := split(m)
		if len(measured) != 100 {
			t.Errorf("%d measured requests", len(measured))
		}
		if n := out.Warmup.Requests; n != 60 || len(warm) != n+out.Cooldown {
			t.Errorf("%d warm-up requests of %d", n, len(warm))
		}
		// What keeps the load up is given up with the last measured reply.
		if took, last := time.Since(begin), measured[99].Done; time.Duration(out.End) != time.Duration(last) {
			t.Errorf("took %v, the last measured reply ended at %v, the run at %v", took, last, out.End)
		}
	})
}

// Rounds of four requests, by the times to first token of each in seconds.
func TestRoundsThatAreAlike(t *testing.T) {
	for _, test := range []struct {
		name   string
		rounds [][]float64
		passed bool
		drifts bool
	}{
		{"alike", [][]float64{{1, 2, 3, 4}, {1, 2, 3, 4}}, true, false},
		{"the same mean and a longer wait", [][]float64{{2, 2, 3, 3}, {1, 2, 3, 4}}, false, false},
		{"still falling", [][]float64{{4, 4, 4, 4.1}, {3, 3, 3, 3.1}, {2, 2, 2, 2.1}}, false, true},
		{"fallen", [][]float64{{4, 4, 4, 4}, {3, 3, 3, 3}, {3, 3, 3, 3.02}}, true, false},
		{"different by chance", [][]float64{{1, 9, 2, 8}, {3, 9, 1, 9}}, false, false},
		{"one round", [][]float64{{1, 1, 1, 1}}, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &start{}
			s.arm(4)
			for _, round := range test.rounds {
				begin := time.Now()
				var told []func()
				for range round {
					told = append(told, s.request())
				}
				// The order in which they are told does not matter, only that in
				// which they were sent.
				for i := len(round) - 1; i >= 0; i-- {
					at := time.Duration(round[i] * float64(time.Second))
					time.AfterFunc(at-time.Since(begin), told[i])
				}
				<-time.After(10 * time.Second)
			}
			if got := s.passed.Load(); got != test.passed {
				t.Errorf("%s: passed %v", test.name, got)
			}
			if got := s.drift(); !test.passed && (got > 0) != test.drifts {
				t.Errorf("%s: drift %v", test.name, got)
			}
		})
	}
}

// A server on which the start does not pass is measured all the same, after as
// many requests as the warm-up has, and how far it still moves is told.
func TestSettleLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w := warming(12)
		w.Settle, w.Endless, w.Block = true, true, 4
		slower := &slowing{fakeTarget: &fakeTarget{}}
		out, err := newGenerator(slower, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(9), Requests: 9, Concurrency: 4, Warmup: w})
		if err != nil || out.Warmup.EndedBy != record.WarmupLimit || out.Warmup.Requests != 12 ||
			out.Warmup.Drift < 0.2 {
			t.Errorf("%+v, %+v, %v", out, out.Warmup, err)
		}
	})
}

// slowing takes a second more for each request than for the one before.
type slowing struct {
	*fakeTarget
	n time.Duration
}

func (s *slowing) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	s.mu.Lock()
	s.n += time.Second
	took := s.n
	s.mu.Unlock()
	(&fakeTarget{latency: took, firstToken: took}).Start(ctx, r, tape, done)
}

// A run that is ended in its warm-up has a Record of everything planned, and
// none of what was only read ahead.
func TestInterruptInWarmup(t *testing.T) {
	for _, n := range []int{0, 50} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(1500*time.Millisecond, cancel)
			m, g := &memory{}, (*Generator)(nil)
			w := warming(n)
			w.Settle = false
			g = newGenerator(&fakeTarget{latency: time.Second}, m)
			g.Handover = func() { t.Error("handed over") }
			out, err := g.Run(ctx, workload.Plan{Source: closedLoop(20), Requests: 20, Concurrency: 3, Warmup: w,
				Cooldown: closedLoop(0)})
			warm, measured := split(m)
			if err != nil || !out.Cancelled || out.Warmup.EndedBy != "" || out.Warmup.Requests == 0 ||
				out.Cooldown != 0 {
				t.Errorf("%+v, %+v, %v", out, out.Warmup, err)
			}
			want := max(n, out.Warmup.Requests)
			if len(measured) != 20 || len(warm) != want {
				t.Errorf("%d measured requests, %d of the warm-up, want %d", len(measured), len(warm), want)
			}
			for _, r := range measured {
				if r.Outcome != record.Dropped {
					t.Errorf("request %d is %v", r.Index, r.Outcome)
				}
			}
		})
	}
}

// The time of the measurement counts from the handover.
func TestDurationCountsFromTheHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, begin := &memory{}, time.Now()
		_, err := newGenerator(&fakeTarget{latency: time.Second}, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(0), Endless: true,
				Concurrency: 2, Duration: 9500 * time.Millisecond, Grace: -1, Warmup: warming(8)})
		if _, measured := split(m); err != nil || time.Since(begin) != 14*time.Second || len(measured) != 20 {
			t.Errorf("%d measured requests in %v, %v", len(measured), time.Since(begin), err)
		}
	})
}

// Failures of the warm-up do not end the measurement, and those of the
// measurement count for it alone.
func TestThresholdIsOfAPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		f := &fakeTarget{latency: time.Second,
			fail: func(r workload.Request) bool { return r.Phase == workload.Warmup && r.Index < 4 }}
		out, err := newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(20), Requests: 20, Concurrency: 2,
				FailedThreshold: 0.3, Warmup: warming(9)})
		if err != nil || out.Aborted != "" {
			t.Errorf("nine warm-up requests, too few to judge by: %+v, %v", out, err)
		}
		out, err = newGenerator(f, m).Run(t.Context(),
			workload.Plan{Source: closedLoop(20), Requests: 20, Concurrency: 2,
				FailedThreshold: 0.3, Warmup: warming(12)})
		if err != nil || out.Aborted == "" || out.Warmup.EndedBy != "" {
			t.Errorf("a server that fails in the warm-up: %+v, %v", out, err)
		}
	})
}
