// Package calibrate measures what this machine can carry as a client: how many
// events and requests a second, how many streams, at what cost, and how true
// the times of arrivals are.
//
// [Run] starts a server of its own in a second process ([Serve]), over which it
// has full command, and drives it over loopback with what every measurement
// uses: load.Generator, openai.Target, Records. Commands flow to the server over
// its standard input, which is also its lease of life: when the pipe closes,
// for whatever reason, it ends. Figures come back as an audit.Calibration, which
// the caller keeps.
//
// Server and client share the machine, so the figures are what both can carry
// together: a client whose server is elsewhere carries more. They are a floor,
// and which of the two was the limit is said.
package calibrate

import (
	"context"
	"fmt"
	"math"
	"time"

	"headway/internal/audit"
)

// Options say how much is measured; see [Options.About] for how long that takes.
type Options struct {
	// Quick measures fewer and shorter rounds.
	Quick bool
	// Progress, which may be nil, hears what is being done.
	Progress func(string)
	// Command starts the server: a program and its arguments, which must call
	// Serve.
	Command []string
}

// Spread is a figure and how it differed from one repeat to another.
type Spread struct {
	Median float64 `json:"median"`
	Lowest float64 `json:"lowest"`
	Most   float64 `json:"highest"`
}

// Found is what was measured. Times are in seconds.
type Found struct {
	// Streams is how many were open while events were counted, Seconds for how
	// long each time, Repeats how often.
	Streams int     `json:"streams_of_events"`
	Seconds float64 `json:"seconds"`
	Repeats int     `json:"repeats"`

	Events   Spread `json:"events_per_s"`
	Requests Spread `json:"requests_per_s"`
	CPU      Spread `json:"cpu_s_per_event"` // 0 where the system does not tell
	P50      Spread `json:"stamp_error_p50_s"`
	P99      Spread `json:"stamp_error_p99_s"`
	P999     Spread `json:"stamp_error_p999_s"`
	// Coalesced is the share of events read together with another,
	// UserspaceStamps that of events without the kernel's time.
	Coalesced       Spread `json:"read_together"`
	UserspaceStamps Spread `json:"stamped_in_user_space"`
	// Limit says what kept the events from being more.
	Limit string `json:"limit"`
	// Opened is how many streams were open at once, and Bound what kept them
	// from being more; empty where nothing did.
	Opened int    `json:"streams_opened"`
	Bound  string `json:"streams_bound,omitempty"`
	// Others is how many processors were busy with something else meanwhile;
	// 0 where the system does not tell.
	Others float64 `json:"processors_busy_with_others"`
}

// size is how much is measured.
type size struct {
	streams      int
	warm, window time.Duration
	repeats      int
	open         int
}

// About is how long a calibration takes: 35 to 60 s were seen on two processors,
// 7 s of a quick one. A machine that carries more has more rates to try.
func (o Options) About() time.Duration {
	if o.Quick {
		return 10 * time.Second
	}
	return time.Minute
}

func (o Options) size() size {
	if o.Quick {
		return size{streams: 500, warm: 100 * time.Millisecond, window: 400 * time.Millisecond, repeats: 3, open: 4000}
	}
	return size{streams: 1000, warm: 200 * time.Millisecond, window: 600 * time.Millisecond, repeats: 5, open: 20000}
}

// Run measures. The error says what could not be done; an end of ctx is one.
// The server has ended when it returns.
func Run(ctx context.Context, o Options) (Found, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	began, host, own := time.Now(), hostSeconds(), cpuSeconds()
	s, err := start(ctx, o.Command)
	if err != nil {
		return Found{}, fmt.Errorf("calibrating: %w", err)
	}
	defer s.stop()
	b := &bench{size: o.size(), server: s, say: o.Progress}
	f, err := b.all(ctx)
	if ctx.Err() != nil {
		return Found{}, fmt.Errorf("calibrating: %w", ctx.Err())
	}
	if err != nil {
		return Found{}, fmt.Errorf("calibrating: %w", s.explain(err))
	}
	if host > 0 {
		others := hostSeconds() - host - (cpuSeconds() - own) - s.stop()
		f.Others = math.Max(0, others/time.Since(began).Seconds())
	}
	return f, nil
}

// mostOthers is how many processors may be busy with something else.
const mostOthers = 0.2

// Steady says whether the machine was there for this alone: that the repeats
// agree and that nothing else was busy. Otherwise the figures are lower than
// what it can carry.
func (f Found) Steady() bool {
	if f.Others > mostOthers {
		return false
	}
	for _, s := range []Spread{f.Events, f.Requests} {
		if s.Lowest < 0.7*s.Most {
			return false
		}
	}
	return true
}

// Calibration is what later runs compare their load with.
func (f Found) Calibration(now time.Time) audit.Calibration {
	c := audit.Calibration{
		Noisy: !f.Steady(), EventsPerSecond: f.Events.Median, RequestsPerSecond: f.Requests.Median,
		CPUPerEvent: f.CPU.Median,
		StampP50:    f.P50.Median, StampP99: f.P99.Median, StampP999: f.P999.Median,
	}
	if f.Bound != "" {
		c.Streams = f.Opened
	}
	return c.Here(now)
}

// bench is a calibration under way.
type bench struct {
	size
	server *server
	say    func(string)
}

func (b *bench) all(ctx context.Context) (Found, error) {
	f := Found{Streams: b.streams, Seconds: b.window.Seconds(), Repeats: b.repeats}
	rate, limit, err := b.search(ctx)
	if err != nil {
		return f, err
	}
	f.Limit = limit
	var events, cpu, p50, p99, p999, together, user []float64
	for i := range b.repeats {
		b.say(fmt.Sprintf("events: %.0f/s on %d streams, %d of %d", rate, b.streams, i+1, b.repeats))
		r, err := b.events(ctx, b.streams, rate)
		if err != nil {
			return f, err
		}
		events, cpu = append(events, r.rate()), append(cpu, r.cpu/float64(max(1, r.events)))
		p50, p99, p999 = append(p50, r.errors[0]), append(p99, r.errors[1]), append(p999, r.errors[2])
		together, user = append(together, r.together), append(user, r.user)
	}
	f.Events = spread(events)
	f.CPU = spread(cpu)
	f.P50 = spread(p50)
	f.P99 = spread(p99)
	f.P999 = spread(p999)
	f.Coalesced, f.UserspaceStamps = spread(together), spread(user)
	var requests []float64
	for i := range b.repeats {
		b.say(fmt.Sprintf("requests, %d of %d", i+1, b.repeats))
		n, err := b.requests(ctx)
		if err != nil {
			return f, err
		}
		requests = append(requests, n)
	}
	f.Requests = spread(requests)
	f.Opened, f.Bound, err = b.most(ctx)
	return f, err
}

// Limits of a rate that is carried: the share of events that came and were not
// read together with another. The second is the verdict's on a run.
const (
	least        = 0.97
	mostTogether = 0.05
)

// search finds the highest rate that is carried, to a fifth: it doubles the
// rate until it is not carried, and then tries in between.
func (b *bench) search(ctx context.Context) (rate float64, limit string, err error) {
	const fine = 1.2
	quick := *b
	quick.window = b.window / 2
	refused := math.Inf(1)
	for next := 20000.0; next < 1e7; {
		r, err := quick.try(ctx, next)
		if err != nil {
			return 0, "", err
		}
		if why := r.short(next); why != "" {
			refused, limit = next, why
			if rate == 0 {
				// Not even the first: what came is what it carries.
				return math.Min(r.sent, r.rate()), limit, nil
			}
		} else {
			rate = next
		}
		switch {
		case math.IsInf(refused, 1):
			next *= 2
		case refused/rate > fine:
			next = math.Sqrt(refused * rate)
		default:
			return rate, limit, nil
		}
	}
	return rate, "the search ends there", nil
}

// try makes a round at a rate, and a second where that is not carried: something
// else may have been busy for a moment.
func (b *bench) try(ctx context.Context, rate float64) (t trial, err error) {
	for range 2 {
		b.say(fmt.Sprintf("events: trying %.0f/s on %d streams", rate, b.streams))
		if t, err = b.events(ctx, b.streams, rate); err != nil || t.short(rate) == "" {
			break
		}
	}
	return t, err
}

// short says in what respect a rate was not carried; empty where it was.
func (t trial) short(asked float64) string {
	switch {
	case t.sent < least*asked:
		return fmt.Sprintf("the server sent %.0f events/s of %.0f", t.sent, asked)
	case t.rate() < least*asked:
		return fmt.Sprintf("the client read %.0f events/s of %.0f", t.rate(), asked)
	case t.together > mostTogether:
		return fmt.Sprintf("at %.0f events/s the client read %.0f %% together with another", asked, 100*t.together)
	}
	return ""
}
