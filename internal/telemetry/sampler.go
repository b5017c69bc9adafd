package telemetry

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"headway/record"
)

// SamplerOptions say how a Sampler reads.
type SamplerOptions struct {
	Clock record.Clock
	// Interval is how often each source is read; it must be above 0.
	Interval time.Duration
	// Lines takes every sample as a line of JSON (docs/format-telemetry.md); nil
	// writes none. Clean takes secrets out of errors.
	Lines io.Writer
	Clean func(string) string
}

// Feed is a source that tells by itself. Run calls emit with what it says, until ctx
// ends; an error says why it ended before.
type Feed struct {
	Name string
	Run  func(ctx context.Context, interval time.Duration, emit func([]Sample)) error
}

// Sampler reads sources at an interval, each in a goroutine of its own, at different
// times of the interval. A source that takes longer than the interval misses samples
// and holds up nobody.
type Sampler struct {
	o       SamplerOptions
	started time.Time
	stop    chan struct{}
	last    chan struct{}      // a Feed has told all of its parts after stop, or ended
	feeding context.Context    // of feeds
	cancel  context.CancelFunc // of it
	wait    sync.WaitGroup

	mu      sync.Mutex // of what follows
	sources []*sampled
	lines   *lines
}

// sampled is a source and what is known of it.
type sampled struct {
	name         string
	index        int
	subjects     subjects
	samples      int
	missed       int
	late, latest time.Duration
	took, cpu    time.Duration
	lastError    string
	failing      string               // why the last sample was not had; "" where it was
	fed          map[string]time.Time // of a Feed: the last sample of each part
	since        time.Time            // of a Feed: when its last samples were waited for
}

// Start begins to sample, and returns when every source was read once or has had the
// time of a scrape for it. Whoever starts one has to call Stop.
func Start(ctx context.Context, o SamplerOptions, sources []Source, feeds []Feed) *Sampler {
	if o.Clean == nil {
		o.Clean = func(s string) string { return s }
	}
	feeding, cancel := context.WithCancel(ctx)
	s := &Sampler{o: o, started: time.Now(), stop: make(chan struct{}), feeding: feeding, cancel: cancel,
		last: make(chan struct{}, len(feeds))}
	sources = slices.Clone(sources)
	for i, x := range sources {
		s.add(x.Name)
		sources[i] = x.Often()
	}
	for _, x := range feeds {
		s.add(x.Name)
	}
	s.lines = newLines(o, s.sources)
	var first sync.WaitGroup
	for i, x := range sources {
		first.Go(func() { s.read(ctx, s.sources[i], x, time.Now()) })
	}
	told := make(chan struct{}, len(feeds))
	for i, x := range feeds {
		s.wait.Go(func() { s.feed(feeding, s.sources[len(sources)+i], x, told) })
	}
	first.Wait()
	waitFor(ctx, told, len(feeds))
	s.started = time.Now()
	for i, x := range sources {
		offset := o.Interval * time.Duration(i) / time.Duration(len(sources))
		s.wait.Go(func() { s.poll(ctx, s.sources[i], x, offset) })
	}
	return s
}

// waitFor waits for so many feeds to tell something, or to end, as long as a scrape
// may take.
func waitFor(ctx context.Context, told <-chan struct{}, n int) {
	limit := time.NewTimer(Within)
	defer limit.Stop()
	for range n {
		select {
		case <-told:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (s *Sampler) add(name string) {
	s.sources = append(s.sources, &sampled{name: name, index: len(s.sources), subjects: subjects{},
		fed: map[string]time.Time{}})
}

// poll reads a source at each interval, and a last time when it is stopped.
func (s *Sampler) poll(ctx context.Context, of *sampled, x Source, offset time.Duration) {
	next := s.started.Add(offset + s.o.Interval)
	for {
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.stop:
			timer.Stop()
			s.read(ctx, of, x, time.Now())
			return
		case <-timer.C:
		}
		s.read(ctx, of, x, next)
		next = next.Add(s.o.Interval)
		if behind := time.Since(next); behind > 0 {
			over := int(behind/s.o.Interval) + 1
			s.miss(of, over)
			next = next.Add(time.Duration(over) * s.o.Interval)
		}
	}
}

func (s *Sampler) miss(of *sampled, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of.missed += n
}

// read is one sample, planned for a time.
func (s *Sampler) read(ctx context.Context, of *sampled, x Source, planned time.Time) {
	asked := time.Now()
	snap, err := x.Scrape(ctx)
	came := time.Now()
	if err != nil && ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	late := max(0, asked.Sub(planned))
	of.late += late
	of.latest = max(of.latest, late)
	of.took += came.Sub(asked)
	at := s.o.Clock.At(asked.Add(came.Sub(asked) / 2))
	if err != nil {
		s.failed(of, at, err)
		return
	}
	of.cpu += snap.CPU
	s.took(of, at, snap.Samples)
}

// took takes what a sample said.
func (s *Sampler) took(of *sampled, at record.Time, list []Sample) {
	of.samples++
	of.failing = ""
	if !of.subjects.take(at, s.o.Interval, list) {
		of.lastError = fmt.Sprintf("it tells of more than %d engines and GPUs, and the others are not summed up",
			mostSubjects)
	}
	s.lines.sample(at, of.index, list)
}

// failed notes a sample that was not had.
func (s *Sampler) failed(of *sampled, at record.Time, err error) {
	of.missed++
	of.lastError = s.o.Clean(err.Error())
	of.failing = of.lastError
	s.lines.failure(at, of.index, of.lastError)
}

// feed lets a Feed tell. told hears when it has begun to, or will not.
func (s *Sampler) feed(ctx context.Context, of *sampled, x Feed, told chan<- struct{}) {
	say := sync.OnceFunc(func() { told <- struct{}{} })
	defer say()
	end := sync.OnceFunc(func() { s.last <- struct{}{} })
	defer end()
	err := x.Run(ctx, s.o.Interval, func(list []Sample) {
		if s.fed(of, list) {
			end()
		}
		say()
	})
	if err != nil && ctx.Err() == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failed(of, s.o.Clock.Now(), err)
	}
}

// fed takes what a Feed says. By how much it is later than an interval after what it
// said last of the same part is its lateness. It is the last where Stop waits for it
// and every part has told something since.
func (s *Sampler) fed(of *sampled, list []Sample) (last bool) {
	if len(list) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	part := list[0].Of
	if last, seen := of.fed[part]; seen {
		gap := now.Sub(last)
		of.late += max(0, gap-s.o.Interval)
		of.latest = max(of.latest, gap-s.o.Interval)
		of.missed += max(0, int((gap+s.o.Interval/2)/s.o.Interval)-1)
	}
	of.fed[part] = now
	s.took(of, s.o.Clock.At(now), list)
	if of.since.IsZero() {
		return false
	}
	for _, at := range of.fed {
		if at.Before(of.since) {
			return false
		}
	}
	return true
}

// Mark says that the measured phase begins.
func (s *Sampler) Mark() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.sources {
		of.subjects.mark()
	}
	s.lines.phase(s.o.Clock.Now(), "begin")
}

// Stop reads every source a last time, unless ctx ended, and ends them all: a Feed has
// the time of a scrape to tell something more. Summary may then be called. The error
// says why not all lines were written.
func (s *Sampler) Stop() error {
	at := s.o.Clock.Now()
	s.mu.Lock()
	for _, of := range s.sources {
		of.since = time.Now()
	}
	s.mu.Unlock()
	close(s.stop)
	waitFor(s.feeding, s.last, cap(s.last))
	s.cancel()
	s.wait.Wait()
	for _, of := range s.sources {
		of.silent(s.o.Interval)
	}
	s.lines.phase(at, "end")
	return s.lines.flush()
}

// Summary is what was found between two times; nil where that is nothing.
func (s *Sampler) Summary(begin, end record.Time) *record.Telemetry {
	if s == nil || !(end > begin) {
		return nil
	}
	t := &record.Telemetry{Interval: s.o.Interval.Seconds(), Seconds: time.Duration(end - begin).Seconds()}
	ran := time.Since(s.started).Seconds()
	for _, of := range s.sources {
		t.Subjects = append(t.Subjects, of.subjects.summaries(of.name, begin, end)...)
		t.Sources = append(t.Sources, of.account(ran))
	}
	if t.Subjects == nil {
		return nil
	}
	return t
}

// account is how well a source was sampled, in so many seconds.
func (of *sampled) account(ran float64) record.TelemetrySource {
	n := float64(max(1, of.samples))
	return record.TelemetrySource{Name: of.name, Samples: of.samples, Missed: of.missed, Late: of.late.Seconds() / n,
		LateMost: of.latest.Seconds(), Took: of.took.Seconds() / n, CPU: of.cpu.Seconds() / max(ran, 1e-9),
		LastError: of.lastError}
}
