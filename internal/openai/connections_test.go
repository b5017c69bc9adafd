package openai

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"headway/record"
)

func TestConnections(t *testing.T) { overBoth(t, testConnections) }

func testConnections(t *testing.T, via string) {
	for _, tt := range []struct {
		reuse string
		conns int32
		fresh []bool
	}{
		{ReusePooled, 1, []bool{true, false, false, false, false, false}},
		{ReuseNever, 6, []bool{true, true, true, true, true, true}},
		{ReuseSticky, 3, []bool{true, false, true, false, true, false}},
	} {
		t.Run(tt.reuse, func(t *testing.T) {
			var conns atomic.Int32
			closed := make(chan struct{}, 16)
			s := unstarted(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, chunk("s")+finishChunk+endMarker)
			})
			s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
				switch st {
				case http.StateNew:
					conns.Add(1)
				case http.StateClosed:
					closed <- struct{}{}
				}
			}
			s.Start()
			target := newTestTarget(t,
				Config{Transport: via, URLs: []string{s.URL}, Streaming: true, ConnectionReuse: tt.reuse})
			for i := range 6 {
				req := say("x")
				req.Session = fmt.Sprint("s", i/2)
				req.Turn = i % 2
				req.Turns = 2
				req.Index = i
				r := ask(t.Context(), target, req)
				if r.Outcome != record.OK {
					t.Fatal(r.Failure)
				}
				if r.HTTP.Reused == tt.fresh[i] {
					t.Errorf("request %d: reused %v", i, r.HTTP.Reused)
				}
				checkOrder(t, r)
			}
			if n := conns.Load(); n != tt.conns {
				t.Errorf("%d connections, want %d", n, tt.conns)
			}
			if tt.reuse != ReusePooled {
				for range tt.conns { // each was closed without Close
					<-closed
				}
			}
		})
	}
}

func TestServersAndModelsInTurn(t *testing.T) { overBoth(t, testServersAndModelsInTurn) }

func testServersAndModelsInTurn(t *testing.T, via string) {
	var mu sync.Mutex
	seen := map[string]string{}
	answer := func(name string) string {
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			seen[r.Header.Get("X-Who")] += name
			seen["models"] += string(regexp.MustCompile(`"model":"(\w+)"`).FindSubmatch(b)[1])
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"w"}}]}`)
		}).URL
	}
	target := newTestTarget(t,
		Config{Transport: via, URLs: []string{answer("A"), answer("B")}, Models: []string{"x", "y"},
			Headers: http.Header{"X-Who": {"all"}}, SessionHeader: "X-Session"})
	ids := map[string]bool{}
	for i := range 8 {
		req := say("x")
		req.Session = fmt.Sprint("s", i/2)
		req.Turn = i % 2
		req.Turns = 2
		req.Index = i
		ids[ask(t.Context(), target, req).CorrelationID] = true
	}
	mu.Lock()
	defer mu.Unlock()
	if seen["all"] != "AABBAABB" || seen["models"] != "xyxyxyxy" {
		t.Errorf("servers %s, models %s: sessions must stay and take turns", seen["all"], seen["models"])
	}
	if len(ids) != 4 {
		t.Errorf("%d session ids for 4 sessions", len(ids))
	}
}

func TestManyStreams(t *testing.T) { overBoth(t, testManyStreams) }

func testManyStreams(t *testing.T, via string) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		n := regexp.MustCompile(`say(\d+)end`).FindSubmatch(b)[1]
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 20 {
			_, _ = io.WriteString(w, chunk(fmt.Sprintf("%s.%d ", n, i)))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, finishChunk+endMarker)
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Streaming: true})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for k := range 3 {
				req := say(fmt.Sprintf("say%dend", i))
				req.Index, req.Session = 3*i+k, fmt.Sprint(i, "-", k)
				r := ask(t.Context(), target, req)
				var want strings.Builder
				for j := range 20 {
					fmt.Fprintf(&want, "%d.%d ", i, j)
				}
				if r.Outcome != record.OK || contents(r) != want.String() {
					t.Errorf("stream %d: %v %v %q", i, r.Outcome, r.Failure, contents(r))
					return
				}
				checkOrder(t, r)
			}
		})
	}
	wg.Wait()
}

func TestTLS(t *testing.T) {
	leaks(t)
	s := unstarted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != "HTTP/1.1" {
			t.Errorf("the server was spoken to in %s", r.Proto)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, chunk("s")+finishChunk+endMarker)
	})
	s.EnableHTTP2 = true // offered, and not to be taken
	s.StartTLS()
	target := newTestTarget(t, Config{URLs: []string{s.URL}, Streaming: true, InsecureSkipVerify: true})
	r := ask(t.Context(), target, say("x"))
	if r.Outcome != record.OK || !r.HTTP.TLSDone.Known() {
		t.Fatalf("%v %+v", r.Failure, r.HTTP)
	}
	checkOrder(t, r)
	checkOrder(t, ask(t.Context(), target, say("x")))
}
