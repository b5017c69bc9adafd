package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"headway/internal/fault"
	"headway/internal/interrupt"
	"headway/internal/options"
	"headway/internal/terminal"
	"headway/internal/web"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// handover is how long open pages have for coming for the results.
const handover = 5 * time.Second

// page is on which a browser follows a call, where that is asked for.
type page struct {
	live   *web.Live
	server *web.Server
	stay   *options.Seconds
	dir    string // of the results
}

// showIn opens the page of --web, where it is asked for; dir is the folder that the
// results go to. It is closed when the verb has ended.
func (a App) showIn(o *options.Web, dir string, quiet bool) error {
	if o == nil || !o.Web.Said() || a.page == nil {
		return nil
	}
	live := web.NewLive("headway "+a.Args[1], a.Notes.secrets.Command("headway", a.Args[1:]))
	server, err := web.Listen(string(o.Web), live)
	if err != nil {
		return fault.New("%w; choose another address with %s", err, fault.Field("web"))
	}
	*a.page = page{live: live, server: server, stay: o.WebStay, dir: dir}
	if !quiet || o.Web.AnyPort() {
		a.Note("live page: %s", server.URL())
	}
	if o.Web.Open() {
		a.Note("warning: the live page has no password: everyone who can reach %s sees the run and its results", o.Web)
	}
	a.Notes.mu.Lock()
	a.Notes.page = live
	a.Notes.mu.Unlock()
	return nil
}

// watch shows the states of a measurement.
func (p *page) watch(state func() terminal.State) (stop func()) {
	if p == nil || p.live == nil {
		return func() {}
	}
	return p.live.Watch(state)
}

// Watch shows a measurement on the page of --web alone; it is the Watcher of studies
// that have no display of their own.
func (a App) Watch(h record.Header, ph workload.Phase, g *load.Generator, c *metric.Collector) (stop func()) {
	begin := time.Now()
	return a.page.watch(func() terminal.State {
		return terminal.State{Title: headingOf(h), Phase: ph.String(), Snapshot: g.Snapshot(), Live: c.Live(),
			Elapsed: time.Since(begin)}
	})
}

// headingOf says of what a measurement is.
func headingOf(h record.Header) string {
	parts := []string{cmp.Or(h.Model, "measurement"), h.URL}
	if h.Concurrency > 0 {
		parts = append(parts, fmt.Sprintf("concurrency %d", h.Concurrency))
	}
	if h.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%g requests/s", h.Rate))
	}
	if h.Repeat > 0 {
		parts = append(parts, fmt.Sprintf("run %d", h.Repeat+1))
	}
	return strings.Join(parts, " · ")
}

// end makes the page that of the results, and closes it: when pages that are open have
// come for them or, where stays is set, when that is asked for.
func (p *page) end(a App, stays bool) {
	if p == nil || p.live == nil {
		return
	}
	defer p.server.Close()
	p.live.End(a.Grammar.Results(p.dir))
	ctx, stop := interrupt.Context(func() {}, func() { a.Exit(Interrupted) })
	defer stop()
	wait, taken := p.lasting(a, stays), p.live.Taken()
	if wait != 0 {
		a.Notes.Aside("the page stays as the report: %s; interrupt to end", p.server.URL())
		taken = nil
	} else {
		wait = handover
	}
	if wait > 0 {
		var free context.CancelFunc
		ctx, free = context.WithTimeout(ctx, wait)
		defer free()
	}
	select {
	case <-ctx.Done():
	case <-taken:
	}
}

// lasting is how long the page stays; below 0 until interrupted.
func (p *page) lasting(a App, stays bool) time.Duration {
	switch {
	case !stays:
		return 0
	case p.stay != nil:
		return time.Duration(*p.stay)
	case terminal.IsTerminal(a.errFile):
		return -1
	}
	return 0
}

// ServeResults shows a folder of results at an address until ctx ends.
func (a App) ServeResults(ctx context.Context, address options.WebAddress, dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("showing results: %w", cmp.Or(err, errors.New(dir+" is no folder")))
	}
	server, err := web.Listen(string(address), a.Grammar.Results(dir))
	if err != nil {
		return fault.New("%w; choose another address with %s", err, fault.Field("listen"))
	}
	defer server.Close()
	fmt.Fprintf(a.Stdout, "results in %s: %s; interrupt to stop\n", dir, server.URL())
	if address.Open() {
		a.Note("warning: the pages have no password: everyone who can reach %s sees the results", address)
	}
	<-ctx.Done()
	return nil
}
