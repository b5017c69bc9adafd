package web

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// quiet is the longest time without a byte on a stream: a comment shows then that
// somebody still reads.
const quiet = 15 * time.Second

// events streams frames. Each reader has the newest one when it is ready for it:
// what a slow one does not take is not kept for it, and nobody waits for it.
func (l *Live) events(w http.ResponseWriter, r *http.Request) {
	if over := l.enter(w); over {
		return
	}
	defer l.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	c := http.NewResponseController(w)
	send := func(text []byte) bool {
		_ = c.SetWriteDeadline(time.Now().Add(patience)) // a connection without one blocks this reader alone
		_, err := w.Write(text)
		return err == nil && c.Flush() == nil
	}
	idle := time.NewTicker(quiet)
	defer idle.Stop()
	for seen, open := uint64(0), true; open; {
		f, changed := l.now()
		if f.number > seen {
			seen = f.number
			if open = send(f.event()) && !f.end; !open {
				return
			}
			idle.Reset(quiet)
		}
		select {
		case <-changed:
		case <-idle.C:
			open = send([]byte(": nothing new\n\n"))
		case <-r.Context().Done():
			return
		}
	}
}

// enter counts a stream. It is over where there are too many, or where all is told: an
// EventSource that is answered with 204 does not come again.
func (l *Live) enter(w http.ResponseWriter) (over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.results != nil:
		w.WriteHeader(http.StatusNoContent)
		return true
	case l.streams >= mostStreams:
		http.Error(w, fmt.Sprintf("%d pages follow already", l.streams), http.StatusServiceUnavailable)
		return true
	}
	l.streams++
	return false
}

func (l *Live) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams--
}

// event is the frame as a server-sent event: the part of the page that changes, as
// HTML, or the end.
func (f *frame) event() []byte {
	var b bytes.Buffer
	name, text := "state", f.render()
	if f.end {
		name, text = "end", nil
	}
	fmt.Fprintf(&b, "id: %d\nevent: %s\n", f.number, name)
	for line := range bytes.Lines(text) {
		fmt.Fprintf(&b, "data: %s\n", bytes.TrimRight(line, "\r\n"))
	}
	if len(text) == 0 {
		b.WriteString("data:\n")
	}
	b.WriteString("\n")
	return b.Bytes()
}
