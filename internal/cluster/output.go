package cluster

import (
	"net/http"
	"time"

	"headway/internal/openai"
)

// output writes one reply and notes every write. What is written in one call
// leaves in one write to the socket, its chunk header included, as long as it
// is shorter than net/http's buffer of 2 KiB; so a client whose reads keep up
// finds whole events in them.
type output struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	conn  openai.ServerConn
	buf   []byte // room for one event, used again
	entry *logEntry

	patience time.Duration // for a client that does not read
	renew    time.Time     // when its deadline is due for another
}

func newOutput(w http.ResponseWriter, r *http.Request) *output {
	o := &output{
		w:     w,
		flush: http.NewResponseController(w),
		conn:  openai.ServerConnOf(r.Context()),
		buf:   make([]byte, 0, 512),
		entry: &logEntry{
			RequestID:     r.Header.Get("X-Request-ID"),
			CorrelationID: r.Header.Get("X-Correlation-ID"),
			Path:          r.URL.Path,
			Status:        http.StatusOK,
			Outcome:       outcomeOK,
			Worker:        -1,
		},
	}
	if o.entry.RequestID != "" {
		w.Header().Set("X-Request-Id", o.entry.RequestID)
	}
	return o
}

// head sends the head of an event stream.
func (o *output) head() error {
	h := o.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	o.wait()
	o.w.WriteHeader(http.StatusOK)
	return o.sent(kindHead)
}

// wait gives the client its time to take what is written now. A deadline that is
// young stays: setting one for each event costs more than the write.
func (o *output) wait() {
	if now := time.Now(); o.patience > 0 && now.After(o.renew) {
		_ = o.flush.SetWriteDeadline(now.Add(o.patience)) // a test's writer has none
		o.renew = now.Add(o.patience / 4)
	}
}

// settle takes the deadline off: the connection may carry other requests.
func (o *output) settle() { _ = o.flush.SetWriteDeadline(time.Time{}) }

// event sends one event.
func (o *output) event(k writeKind, p []byte) error {
	o.buf = p
	o.wait()
	if _, err := o.w.Write(p); err != nil {
		return err
	}
	return o.sent(k)
}

// body sends a whole reply.
func (o *output) body(status int, p []byte) error {
	o.wait()
	respond(o.w, status, p)
	return o.sent(kindBody)
}

// refuse sends an error object.
func (o *output) refuse(e *openai.ServerError) error {
	o.entry.Status, o.entry.Outcome = e.Status, outcomeRejected
	if e.Status >= http.StatusInternalServerError {
		o.entry.Outcome = outcomeError
	}
	return o.body(e.Status, e.Body())
}

// sent flushes what was written and notes when the socket took it.
func (o *output) sent(k writeKind) error {
	if err := o.flush.Flush(); err != nil {
		return err
	}
	before, after := o.conn.LastWrite()
	o.entry.wrote(k, before, after)
	return nil
}
