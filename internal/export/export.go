// Package export tells others of runs, as the options ask for: a collector of
// OpenTelemetry, a scraper of Prometheus, object storage. All of it is off by default.
//
// Nothing here is waited for while load is driven, and nothing that goes wrong with
// others is an error of the run: it is said in a note.
package export

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"headway/internal/export/otlp"
	"headway/internal/export/prom"
	"headway/internal/export/tally"
	"headway/internal/options"
	"headway/internal/study"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// Exports are those who are told of the measurements of one call. The nil pointer tells
// nobody.
type Exports struct {
	o        *options.Exports
	note     func(format string, args ...any)
	tally    *tally.Tally
	otlp     *otlp.Exporter // nil without
	prom     *prom.Server   // nil without
	measured atomic.Bool    // a run has ended
}

// Open begins to tell those of the options. A request is late when it starts later than
// planned by more than late; 0 is 10 ms. The error is that of an address that cannot be
// listened on.
func Open(o *options.Exports, a options.Caller, late time.Duration, note func(string, ...any)) (*Exports, error) {
	e := &Exports{o: o, note: note, tally: tally.New(late)}
	if o.MetricsListen != "" {
		address, err := o.ListenAddress()
		if err != nil {
			return nil, err
		}
		if e.prom, err = prom.Listen(address, e.tally); err != nil {
			return nil, err
		}
		note("metrics of this client: http://%s/metrics", e.prom.Addr)
	}
	if o.SendsOTel() {
		e.otlp = otlp.Start(collector(o, a, e.tally, note))
	}
	return e, nil
}

// collector is what OpenTelemetry is sent, by the options and by its own variables.
func collector(o *options.Exports, a options.Caller, t *tally.Tally, note func(string, ...any)) otlp.Config {
	c := otlp.Config{Provider: o.GenAIProvider, Version: a.Version, Tally: t, Note: note, Headers: http.Header{},
		Resource: map[string]string{"service.name": "headway", "service.version": a.Version}}
	c.Metrics, c.Traces = o.OTelTargets(a)
	for _, list := range append([]string{a.Getenv("OTEL_RESOURCE_ATTRIBUTES")}, o.OTelResource...) {
		all, err := options.ParseAttributes(list)
		if err != nil {
			note("note: OTEL_RESOURCE_ATTRIBUTES is not used: %v", err)
		}
		for key, value := range all {
			c.Resource[key] = value
		}
	}
	if name := a.Getenv("OTEL_SERVICE_NAME"); name != "" {
		c.Resource["service.name"] = name
	}
	headers, err := options.ParseAttributes(a.Getenv("OTEL_EXPORTER_OTLP_HEADERS"))
	if err != nil {
		note("warning: OTEL_EXPORTER_OTLP_HEADERS is not used: %v", err)
	}
	for name, value := range headers {
		c.Headers.Set(name, strings.TrimSpace(value))
	}
	return c
}

// Others is what measurements are told to do for those of the options.
func (e *Exports) Others() study.Others {
	if e == nil {
		return study.Others{}
	}
	return study.Others{Exporter: e, LLMD: e.o.LLMD}
}

// Begin tells of the run of a point.
func (e *Exports) Begin(h record.Header, by metric.TokenSource, at study.Point) study.Telling {
	r := &run{Run: e.tally.Begin(h, by, at), of: e}
	if e.otlp != nil {
		r.traces = e.otlp.Begin(h, by, at)
	}
	return r
}

// run tells of one run.
type run struct {
	*tally.Run
	traces *otlp.Run // nil without
	of     *Exports
}

// Take tells of a Record. It never waits; the error is always nil.
func (r *run) Take(rec *record.Record) error {
	if r.traces != nil {
		_ = r.traces.Take(rec) // always nil
	}
	return r.Run.Take(rec)
}

// Watch sees the load of a phase until stop is called.
func (r *run) Watch(g *load.Generator) (stop func()) { return r.Run.Watch(g) }

// End tells how the run ended.
func (r *run) End(rep *report.Report) {
	r.of.measured.Store(true)
	r.Run.End(rep.Run.Audit)
}

// Close sends what is left to collectors, for a few seconds at most, and ends.
func (e *Exports) Close() {
	if e == nil {
		return
	}
	if e.otlp != nil {
		e.otlp.Close()
	}
	if e.prom != nil {
		e.prom.Close()
	}
}
