// Package otlp sends a run to an OpenTelemetry collector while it goes: metrics of a
// tally, and a trace of each request, by OTLP over HTTP with protobuf.
//
// Nothing waits for the collector. Metrics are cumulative, so that one that is lost is
// made up for by the next. Spans wait in a queue with a bound; what finds it full is
// dropped and counted. What goes wrong is said once while the run goes, and counted at
// the end; it is never an error of the run.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"headway/internal/export/tally"
	"headway/metric"
	"headway/record"
)

// Config says where to send what.
type Config struct {
	// Metrics and Traces are addresses of signals; an empty one is not sent.
	Metrics, Traces string
	// Headers go with every request, Resource are attributes of everything.
	Headers  http.Header
	Resource map[string]string
	// Provider is gen_ai.provider.name, Version that of headway.
	Provider, Version string
	// Tally is what metrics are read from.
	Tally *tally.Tally
	// Interval is the time between two sendings, Timeout that of one, Grace how long
	// Close may take in all. Zero is 5 s each.
	Interval, Timeout, Grace time.Duration
	// Note says what went wrong.
	Note func(format string, args ...any)
}

const (
	usual     = 5 * time.Second
	queueSize = 8192
	batchSize = 512
)

// Exporter sends until it is closed.
type Exporter struct {
	c       Config
	client  *http.Client
	queue   chan span
	full    atomic.Int64 // spans that found the queue full
	ending  chan struct{}
	ctx     context.Context // ends when Close gives up
	giveUp  context.CancelFunc
	workers sync.WaitGroup
	once    sync.Once
	said    sync.Map // signals of which a fault was said

	lost, sent atomic.Int64 // traces of requests
	failed     atomic.Int64 // sendings of metrics
}

// Run is one whose requests have traces.
type Run struct {
	e      *Exporter
	header record.Header
	by     metric.TokenSource
	point  map[string]string
}

// Start begins to send.
func Start(c Config) *Exporter {
	for _, d := range []*time.Duration{&c.Interval, &c.Timeout, &c.Grace} {
		if *d <= 0 {
			*d = usual
		}
	}
	e := &Exporter{c: c, client: newClient(), queue: make(chan span, queueSize),
		ending: make(chan struct{})}
	e.ctx, e.giveUp = context.WithCancel(context.Background())
	if c.Metrics != "" {
		e.workers.Go(e.sendMetrics)
	}
	if c.Traces != "" {
		e.workers.Go(e.sendSpans)
	}
	return e
}

// newClient follows no redirects: headers with credentials go where they were meant
// to go.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Begin says of which run and point Records are, and whose token counts it takes.
func (e *Exporter) Begin(h record.Header, by metric.TokenSource, point map[string]string) *Run {
	return &Run{e: e, header: h, by: by, point: point}
}

// Take queues the trace of a request that was sent. It never waits; the error is always
// nil.
func (r *Run) Take(rec *record.Record) error {
	if r.e.c.Traces == "" || !rec.Start.Known() {
		return nil
	}
	select {
	case r.e.queue <- spanOf(r, rec):
	default:
		r.e.full.Add(1)
	}
	return nil
}

// Close sends what is left, for at most the grace, and says what was lost. After the
// first call it does nothing.
func (e *Exporter) Close() {
	e.once.Do(func() {
		stop := time.AfterFunc(e.c.Grace, e.giveUp)
		close(e.ending)
		e.workers.Wait()
		stop.Stop()
		e.giveUp()
		e.client.CloseIdleConnections()
		e.conclude()
	})
}

func (e *Exporter) conclude() {
	if n := e.full.Load(); n > 0 {
		e.c.Note("warning: %d traces of requests were dropped: the collector took them more slowly than they came", n)
	}
	if n := e.lost.Load(); n > 0 {
		e.c.Note("warning: %d traces of requests did not reach the collector whole; %d did", n, e.sent.Load())
	}
	if n := e.failed.Load(); n > 0 {
		e.c.Note("warning: %d sendings of metrics to the collector failed", n)
	}
}

// fault says what is wrong with a signal, once.
func (e *Exporter) fault(signal string, err error) {
	if _, said := e.said.LoadOrStore(signal, true); !said {
		e.c.Note("warning: sending %s to the collector failed, and the run goes on without: %v", signal, err)
	}
}

// sendMetrics sends the tally at every interval and at the end.
func (e *Exporter) sendMetrics() {
	tick := time.NewTicker(e.c.Interval)
	defer tick.Stop()
	for {
		last := false
		select {
		case <-tick.C:
		case <-e.ending:
			last = true
		}
		if err := e.pushMetrics(); err != nil {
			e.failed.Add(1)
			e.fault("metrics", err)
		}
		if last {
			return
		}
	}
}

// sendSpans sends what waits in batches, at every interval and when a batch is full.
func (e *Exporter) sendSpans() {
	tick := time.NewTicker(e.c.Interval)
	defer tick.Stop()
	var batch []span
	for {
		last := false
		select {
		case s := <-e.queue:
			if batch = append(batch, s); len(batch) < batchSize {
				continue
			}
		case <-tick.C:
		case <-e.ending:
			last = true
		}
		e.pushSpans(batch)
		batch = batch[:0]
		if last {
			e.drain()
			return
		}
	}
}

// drain sends what still waits.
func (e *Exporter) drain() {
	var batch []span
	for {
		select {
		case s := <-e.queue:
			if batch = append(batch, s); len(batch) < batchSize {
				continue
			}
		default:
			e.pushSpans(batch)
			return
		}
		e.pushSpans(batch)
		batch = batch[:0]
	}
}

// pushSpans sends one batch, twice where the collector says that it is busy.
func (e *Exporter) pushSpans(batch []span) {
	if len(batch) == 0 {
		return
	}
	body, err := proto.Marshal(e.traces(batch))
	if err == nil {
		err = e.post(e.c.Traces, body, e.readTraces)
	}
	var busy errBusy
	if errors.As(err, &busy) && e.pause(busy.after) {
		err = e.post(e.c.Traces, body, e.readTraces)
	}
	var rejected errRejected
	lost := int64(len(batch))
	switch {
	case err == nil:
		lost = 0
	case errors.As(err, &rejected): // a trace has several spans, and nobody says of which they are
		lost = min(lost, rejected.n)
	}
	e.lost.Add(lost)
	e.sent.Add(int64(len(batch)) - lost)
	if err != nil {
		e.fault("traces", err)
	}
}

// pause waits before a second try; false where the program ends before.
func (e *Exporter) pause(d time.Duration) bool {
	t := time.NewTimer(min(d, e.c.Interval))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-e.ending:
		return e.ctx.Err() == nil
	}
}

// errBusy is a collector that asks for another try.
type errBusy struct {
	status int
	after  time.Duration
}

func (e errBusy) Error() string { return fmt.Sprintf("HTTP %d", e.status) }
