package calibrate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"headway/internal/openai"
	"headway/internal/wire"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// trial is what one round of events brought within its window.
type trial struct {
	sent   float64 // events/s of the server, over the whole round
	events int
	span   float64 // seconds of the window
	cpu    float64 // seconds of this process in it
	// errors are p50, p99 and p99.9 of the error of an event's time, seconds.
	errors         [3]float64
	together, user float64 // shares
}

func (t trial) rate() float64 { return float64(t.events) / t.span }

// keep is a Sink that keeps.
type keep struct{ all []*record.Record }

func (k *keep) Take(r *record.Record) error { k.all = append(k.all, r); return nil }

// target opens a client of the server with n connections.
func (b *bench) target(ctx context.Context, n int) (*openai.Target, error) {
	t, err := openai.NewTarget(openai.Config{URLs: []string{fmt.Sprint("http://127.0.0.1:", b.server.port)},
		Models:    []string{"calibrate"},
		Streaming: true, Timeout: time.Minute})
	if err != nil {
		return nil, err
	}
	if err := t.Preconnect(ctx, n); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// requests are n of them; an endless plan has no end of them.
func requests(n, tokens int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i := 0; n == 0 || i < n; i++ {
			r := workload.Request{Index: i, Session: strconv.Itoa(i), Turns: 1, Prompt: workload.Prompt{Text: "x"},
				OutputTokens: tokens}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// events makes one round of streams at a rate.
func (b *bench) events(outer context.Context, streams int, rate float64) (t trial, err error) {
	ctx, cancel := context.WithCancel(outer)
	defer cancel()
	x, err := b.target(ctx, streams)
	if err != nil {
		return t, err
	}
	defer x.Close()
	// Half a second more than the window needs: the client begins to look when
	// every stream has had its first event.
	seconds := (b.warm + b.window + 300*time.Millisecond).Seconds() + float64(streams)/rate
	each := max(2, int(rate*seconds/float64(streams)))
	if err := b.server.do(command{Streams: streams, Rate: rate, Events: each}); err != nil {
		return t, err
	}
	sink, clock := &keep{}, record.NewClock()
	offset := tie(clock)
	g := &load.Generator{Target: x, Sink: sink, Clock: clock}
	var from, to record.Time
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		from, to, t.cpu = b.watch(ctx, g, streams)
	}()
	_, err = g.Run(ctx, workload.Plan{Source: requests(streams, each), Concurrency: streams, Requests: streams})
	cancel()
	<-watched
	if err == nil {
		err = failed(outer, sink.all)
	}
	if err != nil {
		return t, err
	}
	var s served
	if err := b.server.read(&s); err != nil {
		return t, err
	}
	t.sent, t.span = s.Rate, time.Duration(to-from).Seconds()
	t.judge(sink.all, from, to, offset)
	return t, nil
}

// watch waits for the first event of every stream and for the warm-up, and
// measures for a window. It ends early with ctx, which ends with the round.
func (b *bench) watch(ctx context.Context, g *load.Generator, streams int) (from, to record.Time, cpu float64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s := g.Snapshot(); s.Sent < int64(streams) || s.Waiting > 0; s = g.Snapshot() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return g.Clock.Now(), g.Clock.Now(), 0
		}
	}
	pause(ctx, b.warm)
	from, cpu = g.Clock.Now(), cpuSeconds()
	pause(ctx, b.window)
	return from, g.Clock.Now(), cpuSeconds() - cpu
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// failed is the error of an interrupt, or of requests that failed. What the end
// of a round kept from being sent has not.
func failed(ctx context.Context, all []*record.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, first := 0, ""
	for _, r := range all {
		if r.Outcome == record.OK || r.Outcome == record.Dropped {
			continue
		}
		if n++; r.Failure != nil && first == "" {
			first = r.Failure.Message
		}
	}
	if n > 0 {
		return fmt.Errorf("%d of %d requests over loopback failed: %s", n, len(all), first)
	}
	return nil
}

// tie is the distance of the shared clock from that of Records, to some ten
// nanoseconds: what to add to a record.Time.
func tie(c record.Clock) int64 {
	best, offset := time.Hour, int64(0)
	for range 1000 {
		before := time.Now()
		shared := monotonic()
		took := time.Since(before)
		if took < best {
			best, offset = took, shared-int64(c.At(before.Add(took/2)))
		}
	}
	return offset
}

// judge holds the arrivals of the window against the send times in them.
func (t *trial) judge(all []*record.Record, from, to record.Time, offset int64) {
	var off []float64
	together, user := 0, 0
	for _, r := range all {
		for i := range min(len(r.Arrivals), len(r.Text.Content)/stampDigits) {
			a := r.Arrivals[i]
			if a.At < from || a.At > to {
				continue
			}
			sent, err := strconv.ParseInt(string(r.Text.Content[stampDigits*i:stampDigits*(i+1)]), 10, 64)
			if err != nil {
				continue // the end of a stream has no time in it
			}
			off = append(off, float64(int64(a.At)+offset-sent)/1e9)
			// As in the audit of a run: all of a read with several events.
			if a.Coalesced {
				together++
				if i > 0 && !r.Arrivals[i-1].Coalesced {
					together++
				}
			}
			if a.UserspaceStamp {
				user++
			}
		}
	}
	t.events = len(off)
	slices.Sort(off)
	for i, p := range [...]float64{50, 99, 99.9} {
		t.errors[i] = metric.Percentile(off, p)
	}
	t.together, t.user = float64(together)/float64(max(1, len(off))), float64(user)/float64(max(1, len(off)))
}

// requests finds how many short requests a second can be made one after the
// other, in a few slots.
func (b *bench) requests(ctx context.Context) (perSecond float64, err error) {
	const slots = 64
	x, err := b.target(ctx, slots)
	if err != nil {
		return 0, err
	}
	defer x.Close()
	if err := b.server.do(command{}); err != nil {
		return 0, err
	}
	sink := &keep{}
	g := &load.Generator{Target: x, Sink: sink, Clock: record.NewClock()}
	took := b.window / 2
	if _, err := g.Run(ctx, workload.Plan{Source: requests(0, 1), Endless: true, Concurrency: slots, Duration: took,
		Grace: time.Second}); err != nil {
		return 0, err
	}
	if err := failed(ctx, sink.all); err != nil {
		return 0, err
	}
	answered := 0
	for _, r := range sink.all {
		if r.Outcome == record.OK {
			answered++
		}
	}
	return float64(answered) / took.Seconds(), nil
}

// most opens as many streams as it may and has an event sent on each. Where
// there is a bound it is found to a tenth.
func (b *bench) most(ctx context.Context) (opened int, bound string, err error) {
	low, high := b.open/4, b.open
	if files, why := filesFor(high); why != "" {
		low, high, bound = min(low, files), files, why
	}
	refused := high + 1
	for n := low; n > opened; {
		b.say(fmt.Sprintf("%d streams at once", n))
		err := b.streamsAtOnce(ctx, n)
		switch {
		case ctx.Err() != nil:
			return 0, "", ctx.Err()
		case err != nil:
			refused, bound = n, err.Error()
		default:
			opened = n
		}
		switch {
		case refused > high:
			n = high
		case refused-opened > refused/10:
			n = (opened + refused) / 2
		default:
			return opened, bound, nil
		}
	}
	return opened, bound, nil
}

// filesFor is how many connections up to n this process may have files for, and
// what it is told beyond that.
func filesFor(n int) (most int, why string) {
	low, high := 0, n+1 // low may be had, high not
	for high-low > 1 {
		try := (low + high) / 2
		if try > n {
			break
		}
		if err := wire.NeedFiles(try); err != nil {
			high, why = try, err.Error()
		} else {
			low = try
		}
	}
	return low, why
}

// streamsAtOnce has n streams open at once.
func (b *bench) streamsAtOnce(ctx context.Context, n int) error {
	r := *b
	r.warm, r.window = 0, 50*time.Millisecond
	_, err := r.events(ctx, n, 50000)
	return err
}

// spread is the median of repeats, and their range.
func spread(v []float64) Spread {
	slices.Sort(v)
	if len(v) == 0 {
		return Spread{}
	}
	return Spread{metric.Percentile(v, 50), v[0], v[len(v)-1]}
}
