package web

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"headway/internal/terminal"
)

const (
	// interval is the time between two states.
	interval = time.Second / 2
	// mostStreams may be open at a time, as many as there are pages that follow.
	mostStreams = 24
	// mostLines of what was told are kept.
	mostLines = 60
)

// Live is the page of a call while it measures. The zero value is not usable, see
// [NewLive]. Its methods may be called from any goroutine, and on nil, where they do
// nothing.
type Live struct {
	mux *http.ServeMux

	mu      sync.Mutex
	title   string
	command string
	lines   []string // what was told, the oldest first
	sources []*source
	panel   terminal.Panel // the newest state, of the measurement that began last
	history history
	newest  *frame
	changed chan struct{} // closed when newest is replaced
	streams int
	results http.Handler // after the end
	waiting int          // pages that followed at the end and have not come for the results
	taken   chan struct{}
}

// source is a measurement under way.
type source struct{ poll func() terminal.State }

// frame is what is shown of one moment.
type frame struct {
	number uint64 // 1 for the first
	end    bool
	once   sync.Once
	shown  shown
	html   []byte
}

// shown is what a frame is made of.
type shown struct {
	terminal.Panel
	Lines []string
	past  history
	// Running is false before the first measurement and between two of them.
	Running bool
	// Others are measurements under way beside the one that is shown.
	Others int
}

// NewLive is the page of a call that the title names; command is the whole of it.
func NewLive(title, command string) *Live {
	l := &Live{title: title, command: command, changed: make(chan struct{}), taken: make(chan struct{}),
		newest: &frame{number: 1}, mux: http.NewServeMux()}
	l.mux.HandleFunc("GET /{$}", l.page)
	l.mux.HandleFunc("GET /events", l.events)
	l.mux.HandleFunc("GET /live.js", asset("live.js", "text/javascript; charset=utf-8"))
	return l
}

// ServeHTTP is the live page and, after [Live.End], the results.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	results := l.results
	l.mu.Unlock()
	if results == nil || r.URL.Path == "/events" {
		l.mux.ServeHTTP(w, r)
		return
	}
	results.ServeHTTP(w, r)
	if r.Method == http.MethodGet && r.URL.Path == "/" {
		_ = http.NewResponseController(w).Flush() // before somebody hears that the page has come
		l.came()
	}
}

// Watch shows a measurement until stop is called, which returns when poll is called
// no more. poll is called from one goroutine, twice a second.
func (l *Live) Watch(poll func() terminal.State) (stop func()) {
	if l == nil {
		return func() {}
	}
	s := &source{poll: poll}
	l.mu.Lock()
	l.sources = append(l.sources, s)
	l.mu.Unlock()
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		l.follow(s, end)
	}()
	return func() { close(end); <-ended }
}

// follow publishes the states of a source until end is closed, the last one then.
func (l *Live) follow(s *source, end <-chan struct{}) {
	t := time.NewTicker(interval)
	defer t.Stop()
	l.state(s, s.poll())
	for {
		select {
		case <-t.C:
			l.state(s, s.poll())
		case <-end:
			l.last(s, s.poll())
			return
		}
	}
}

// state takes a state of a source. What is shown is of the one that began last.
func (l *Live) state(s *source, state terminal.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sources[len(l.sources)-1] == s {
		l.panel = terminal.PanelOf(state)
		l.history.add(state)
		l.publish()
	}
}

// last takes the state at the end of a measurement.
func (l *Live) last(s *source, state terminal.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.sources, s)
	if at == len(l.sources)-1 {
		l.panel = terminal.PanelOf(state)
		l.history.add(state)
	}
	l.sources = slices.Delete(l.sources, at, at+1)
	l.publish()
}

// Say adds a line of how the call goes.
func (l *Live) Say(line string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	l.lines = slices.Delete(l.lines, 0, max(0, len(l.lines)-mostLines))
	l.publish()
}

// publish replaces the newest frame; the lock is held.
func (l *Live) publish() {
	f := &frame{number: l.newest.number + 1, end: l.results != nil}
	f.shown = shown{Panel: l.panel, Lines: slices.Clone(l.lines), past: l.history.copy(),
		Running: len(l.sources) > 0, Others: max(0, len(l.sources)-1)}
	l.newest = f
	close(l.changed)
	l.changed = make(chan struct{})
}

// now is the newest frame, and what is closed when there is a newer one.
func (l *Live) now() (*frame, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest, l.changed
}

// End puts results in the place of the page. Pages that follow are told, and come
// for them.
func (l *Live) End(results http.Handler) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results, l.waiting = results, l.streams
	if l.waiting == 0 {
		close(l.taken)
	}
	l.publish()
}

// came counts a page that has the results.
func (l *Live) came() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting > 0 {
		if l.waiting--; l.waiting == 0 {
			close(l.taken)
		}
	}
}

// Taken is closed when every page that followed at the end has come for the results.
func (l *Live) Taken() <-chan struct{} { return l.taken }
