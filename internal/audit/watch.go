package audit

import (
	"errors"
	"iter"
	"sync"
	"time"

	"headway/metric"
	"headway/record"
)

// Options say what an audit is held against.
type Options struct {
	// MaxLag is the bound of delays that the user set; 0 leaves the default,
	// see [Judge].
	MaxLag time.Duration
	// Lags gives how long data lay in the kernel before it was read, from the
	// beginning of the program, as cells of a histogram: the largest lag of
	// the cell and how many reads are in it. Nil where nothing counts them.
	Lags func() iter.Seq2[time.Duration, int64]
	// Calibration is what this machine can carry; nil where nobody has
	// measured it.
	Calibration *Calibration
}

// Watch observes one measured phase. It is a record.Sink: Take is called from
// one goroutine at a time, Begin before the first and End after the last.
type Watch struct {
	options Options
	pace    metric.Pace
	shift   metric.StampShift

	begun     bool
	lags      map[time.Duration]int64 // before the phase
	lagSpread *record.AuditSpread
	probe     *probe
	probed    *record.AuditSpread
	runtime   runtimeCounts
	ran       record.AuditRuntime
	samples   sampler
	machine   *record.AuditMachine
	backlog   *record.AuditBacklog

	stop chan struct{}
	wg   sync.WaitGroup
}

// New makes a Watch that has not begun.
func New(o Options) *Watch { return &Watch{options: o} }

// Take notes a Record; it never fails.
func (w *Watch) Take(r *record.Record) error {
	return errors.Join(w.pace.Take(r), w.shift.Take(r))
}

// period is the time between two looks at the machine.
const period = time.Second

// Begin starts to watch; End must follow.
func (w *Watch) Begin() {
	w.begun = true
	w.lags = w.count()
	w.runtime = readRuntime()
	w.samples.begin()
	w.probe = startProbe()
	w.stop = make(chan struct{})
	w.wg.Go(func() {
		t := time.NewTicker(period)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				w.samples.look()
			case <-w.stop:
				return
			}
		}
	})
}

// End stops watching.
func (w *Watch) End() {
	close(w.stop)
	w.wg.Wait()
	w.machine = w.samples.end()
	w.probed = w.probe.end()
	w.ran = readRuntime().since(w.runtime)
	now := w.count()
	for lag, n := range w.lags {
		now[lag] -= n
	}
	w.lagSpread = spreadOf(now)
}

// Waited notes how finished Records waited in the phase.
func (w *Watch) Waited(b record.AuditBacklog) { w.backlog = &b }

// count is the histogram of lags by now.
func (w *Watch) count() map[time.Duration]int64 {
	cells := map[time.Duration]int64{}
	if w.options.Lags != nil {
		for lag, n := range w.options.Lags() {
			cells[lag] = n
		}
	}
	return cells
}

// Audit is what was found in a run, with its verdict; nil when the phase never
// began or nothing was sent in it. h says what was asked for.
func (w *Watch) Audit(h record.Header, result *metric.Result) *record.Audit {
	if !w.begun {
		return nil
	}
	k := w.pace.Kept()
	if k.Sent == 0 {
		return nil
	}
	a := &record.Audit{ReadLag: w.lagSpread, ProbeLag: w.probed, Runtime: w.ran, Machine: w.machine, Backlog: w.backlog,
		Arrivals: record.AuditArrivals{Count: k.Arrivals, Coalesced: k.Coalesced, UserspaceStamps: k.UserspaceStamps},
		Load:     record.AuditLoad{Sent: k.Sent, Asked: h.Concurrency, Mean: k.Mean, Peak: k.Peak}}
	if k.Busy > 0 {
		a.Load.Requests, a.Load.Events = float64(k.Sent)/k.Busy, float64(k.Arrivals)/k.Busy
	}
	if s, ok := result.Summary("time_to_first_token"); ok {
		if v, ok := s.Stat("p50"); ok {
			a.MedianTTFT = v
		}
	}
	if h.Schedule.Timed && len(k.Late) > 0 {
		a.Schedule = scheduleOf(h, k)
	}
	a.Load.NoneAnswered = k.Good == 0
	a.Stamps = stampsOf(w.shift.Shifts(userDelay(a, func(s *record.AuditSpread) float64 { return s.P50 })))
	if c := w.options.Calibration; c != nil {
		a.Calibration = &record.AuditCalibration{Events: c.EventsPerSecond, Streams: c.Streams,
			Requests: c.RequestsPerSecond}
	}
	Judge(a, w.options.MaxLag)
	return a
}

// spreadOfSorted describes a sorted sample that is not empty.
func spreadOfSorted(v []float64) record.AuditSpread {
	return record.AuditSpread{Count: int64(len(v)), P50: metric.Percentile(v, 50), P90: metric.Percentile(v, 90),
		P99: metric.Percentile(v, 99), Max: v[len(v)-1]}
}

// stampsOf is nil where no reply streamed.
func stampsOf(s metric.Shifts) *record.AuditStamps {
	if s.Count == 0 {
		return nil
	}
	a := &record.AuditStamps{Count: s.Count, Shared: s.Shared, Late: s.Late, Gap: s.Gap, Send: spreadOfSorted(s.Send),
		TTFT: record.AuditShift(s.TTFT)}
	if s.ITL.P99 > 0 {
		itl := record.AuditShift(s.ITL)
		a.ITL = &itl
	}
	return a
}

func scheduleOf(h record.Header, k metric.Kept) *record.AuditSchedule {
	s := &record.AuditSchedule{Planned: k.Planned, Achieved: k.Achieved, AskedRate: h.Rate,
		Lateness: spreadOfSorted(k.Late)}
	if gaps := float64(len(k.Late) - 1); gaps > 0 && k.Planned > 0 && k.Achieved > 0 {
		s.PlannedRate, s.SentRate = gaps/k.Planned, gaps/k.Achieved
	}
	return s
}
