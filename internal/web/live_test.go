package web

import (
	"bufio"
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headway/internal/terminal"
	"headway/load"
	"headway/metric"
)

func stateOf(finished int64) terminal.State {
	return terminal.State{Title: "my-run", Phase: "profiling", Elapsed: time.Duration(finished) * time.Second,
		Snapshot: load.Snapshot{Planned: 100, Finished: finished, InFlight: 4, Concurrency: 8},
		Live:     metric.Live{OK: int(finished), TTFT50: 0.05, TTFT99: 0.07, ITL50: math.NaN(), ITL99: math.NaN()}}
}

// event is one of a stream.
type event struct {
	id         int
	name, data string
}

// read reads the next event of a stream; false at its end.
func read(t *testing.T, in *bufio.Reader) (e event, ok bool) {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return e, false
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "id":
			e.id, _ = strconv.Atoi(value)
		case "event":
			e.name = value
		case "data":
			e.data += value + "\n"
		case "":
			if line == "\n" && e.name != "" {
				return e, true
			}
		}
	}
}

// follow opens the stream of a server.
func follow(t *testing.T, s *Server) *bufio.Reader {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	reply, err := client.Get(s.URL() + "events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reply.Body.Close(); client.CloseIdleConnections() })
	if reply.StatusCode != http.StatusOK || reply.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", reply.Status, reply.Header.Get("Content-Type"))
	}
	return bufio.NewReader(reply.Body)
}

func serve(t *testing.T, h http.Handler) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A reader that takes every state has all of them in order, the last one of the
// measurement among them, and then the end.
func TestStreamOrder(t *testing.T) {
	l := NewLive("headway run", "headway run --model m")
	in := follow(t, serve(t, l))
	last := 0
	next := func() event {
		e, ok := read(t, in)
		if !ok || e.id <= last {
			t.Fatalf("event %d after %d, open: %v", e.id, last, ok)
		}
		last = e.id
		return e
	}
	if e := next(); !strings.Contains(e.data, "Nothing is measured yet") {
		t.Fatalf("the first state: %s", e.data)
	}
	s := &source{}
	l.sources = append(l.sources, s)
	for i := range int64(5) {
		l.state(s, stateOf(i))
		if e := next(); !strings.Contains(e.data, strconv.FormatInt(i, 10)+" of 100 done") {
			t.Fatalf("state %d: %s", i, e.data)
		}
	}
	l.last(s, stateOf(100))
	if e := next(); !strings.Contains(e.data, "100 of 100 done") || !strings.Contains(e.data, "ended") {
		t.Fatalf("the last state: %s", e.data)
	}
	l.End(http.NotFoundHandler())
	if e := next(); e.name != "end" {
		t.Fatalf("the last event is %q", e.name)
	}
	if _, ok := read(t, in); ok {
		t.Error("an event after the end")
	}
}

// Watch asks for states twice a second, and once more at the end.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLive("headway run", "")
		var asked int64
		stop := l.Watch(func() terminal.State { asked++; return stateOf(asked) })
		time.Sleep(5*interval + interval/2)
		stop()
		if asked != 7 {
			t.Errorf("asked %d times, want 7", asked)
		}
		f, _ := l.now()
		if got := f.shown.Cells[0].Text; !strings.HasPrefix(got, "7 of 100 done") || f.shown.Running {
			t.Errorf("shown at the end: %s, running %v", got, f.shown.Running)
		}
	})
}

// Readers that take nothing hold up nobody: states go on, and the one who reads has
// the newest. A slow one has the newest when it reads again.
func TestSlowReaders(t *testing.T) {
	l := NewLive("headway run", "")
	server := serve(t, l)
	for range 20 {
		c, err := net.Dial("tcp", server.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	in := follow(t, server)
	s := &source{}
	l.sources = append(l.sources, s)
	text := strings.Repeat("x", 4000)
	const states = 5000 // 20 MB for each reader, more than sockets take
	for i := range int64(states) {
		state := stateOf(i)
		state.Note = text
		l.state(s, state)
	}
	for {
		e, ok := read(t, in)
		if !ok {
			t.Fatal("the stream ended")
		}
		if strings.Contains(e.data, "4,999 of 100 done") {
			return
		}
	}
}

func TestMostStreams(t *testing.T) {
	l := NewLive("headway run", "")
	server := serve(t, l)
	for range mostStreams {
		if _, ok := read(t, follow(t, server)); !ok {
			t.Fatal("no state")
		}
	}
	reply, err := http.Get(server.URL() + "events")
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if reply.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s for one stream too many", reply.Status)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

// After the end the page is the results; who followed is waited for.
func TestEnd(t *testing.T) {
	l := NewLive("headway run", "")
	server := serve(t, l)
	in := follow(t, server)
	read(t, in)
	l.End(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the report") }))
	if e, ok := read(t, in); !ok || e.name != "end" {
		t.Fatalf("event %q", e.name)
	}
	select {
	case <-l.Taken():
		t.Fatal("taken before the page came for it")
	default:
	}
	if _, text := get(t, server.URL()); text != "the report" {
		t.Errorf("after the end: %s", text)
	}
	<-l.Taken()
	if code, _ := get(t, server.URL()+"events"); code != http.StatusNoContent {
		t.Errorf("events after the end: %d", code)
	}
	nobody := NewLive("headway run", "")
	nobody.End(http.NotFoundHandler())
	<-nobody.Taken()
}

// What a server or a name says is text on the page, with scripts and without.
func TestEscapes(t *testing.T) {
	l := NewLive("headway run", "headway run --model '<script>alert(1)</script>'")
	s := &source{}
	l.sources = append(l.sources, s)
	state := stateOf(1)
	state.Title, state.Note = `<img src=x onerror=alert(1)>`, "line\n\nevent: end\ndata: <script>"
	state.Done = []string{"</li><script>alert(2)</script>"}
	l.state(s, state)
	l.Say("</main><script>alert(3)</script>")
	_, page := get(t, serve(t, l).URL())
	f, _ := l.now()
	for where, text := range map[string]string{"page": page, "event": string(f.event())} {
		for _, bad := range []string{"<script>alert", "<img", "</main><script", "\nevent: end", "\ndata: <script>"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q stands in it", where, bad)
			}
		}
	}
	if !strings.Contains(page, `<noscript><meta http-equiv="refresh"`) {
		t.Error("without scripts the page does not reload")
	}
}

// Several measurements at a time: the one that began last is shown, the others counted.
func TestSeveral(t *testing.T) {
	l := NewLive("headway profile", "")
	a, b := &source{}, &source{}
	l.sources = append(l.sources, a, b)
	first, second := stateOf(1), stateOf(2)
	first.Title, second.Title = "first", "second"
	l.state(b, second)
	l.state(a, first)
	if f, _ := l.now(); f.shown.Title != "second" || f.shown.Others != 1 {
		t.Errorf("%s is shown with %d others", f.shown.Title, f.shown.Others)
	}
	l.last(b, second)
	l.state(a, first)
	if f, _ := l.now(); f.shown.Title != "first" || f.shown.Others != 0 || !f.shown.Running {
		t.Errorf("%s is shown with %d others", f.shown.Title, f.shown.Others)
	}
}

// A long run takes as much as a short one, and a new phase begins again.
func TestHistory(t *testing.T) {
	var h history
	for i := range int64(100_000) {
		h.add(stateOf(i))
	}
	if len(h.points) > mostPoints || h.points[len(h.points)-1].at < 90_000*time.Second {
		t.Errorf("%d points up to %v", len(h.points), h.points[len(h.points)-1].at)
	}
	curves := h.curves()
	if len(curves) != 3 || curves[0].Most != "4" {
		t.Errorf("%d curves, %+v", len(curves), curves)
	}
	for _, c := range curves {
		if strings.Contains(c.Path, "NaN") || !strings.HasPrefix(c.Path, "M") {
			t.Errorf("%s: %.80s", c.Name, c.Path)
		}
	}
	s := stateOf(1)
	s.Phase = "warmup"
	h.add(s)
	if len(h.points) != 1 || len(h.curves()) != 0 {
		t.Errorf("a new phase has %d points", len(h.points))
	}
}

// BenchmarkState is what a state costs with so many pages that follow.
func BenchmarkState(b *testing.B) {
	for _, readers := range []int{0, 1, 10} {
		b.Run(strconv.Itoa(readers), func(b *testing.B) {
			l := NewLive("headway run", "")
			ctx, stop := context.WithCancel(b.Context())
			var work sync.WaitGroup
			got := make(chan struct{}, readers)
			for range readers {
				r, err := http.NewRequestWithContext(ctx, "GET", "/events", nil)
				if err != nil {
					b.Fatal(err)
				}
				work.Go(func() { l.events(&sink{got: got}, r) })
				<-got
			}
			s := &source{}
			l.sources = append(l.sources, s)
			for i := range int64(mostPoints - 1) {
				l.history.add(stateOf(i))
			}
			for b.Loop() {
				l.state(s, stateOf(7))
				for range readers {
					<-got
				}
			}
			stop()
			work.Wait()
		})
	}
}

// sink takes a stream and says so of each flush.
type sink struct {
	header http.Header
	got    chan struct{}
}

func (s *sink) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}
func (*sink) WriteHeader(int)                  {}
func (*sink) Write(b []byte) (int, error)      { return len(b), nil }
func (s *sink) FlushError() error              { s.got <- struct{}{}; return nil }
func (*sink) SetWriteDeadline(time.Time) error { return nil }
