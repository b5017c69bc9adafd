package openai

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"headway/record"
)

// trace collects the times of one request's connection. net/http calls the
// hooks from several goroutines, and those of a dial even after the request
// has got another connection: those are kept out from then on, since they
// belong to a connection that this request never used.
type trace struct {
	clock record.Clock
	// wrote, which may be nil, is called once when the request was written.
	wrote func()
	// size is the length of the request's body in bytes.
	size int64
	// shared says that several requests use a connection at once (HTTP/2), so
	// that neither its times nor its counts are this request's.
	shared bool
	// written is closed when the request was written.
	written chan struct{}

	mu sync.Mutex
	h  record.HTTP
	// sentBegan and sent are when the last write began and ended.
	sentBegan, sent record.Time
	lease           lease
	got             bool // a connection is ours
	closed          bool // nothing more is taken
	noted           bool // written is closed
	tlsErr          bool
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:  t.getConn,
		DNSStart: func(httptrace.DNSStartInfo) { t.dialing(func() *record.Time { return &t.h.DNSStart }, false) },
		DNSDone:  func(httptrace.DNSDoneInfo) { t.dialing(func() *record.Time { return &t.h.DNSDone }, true) },
		ConnectStart: func(string, string) {
			t.dialing(func() *record.Time { return &t.h.ConnectStart }, false)
		},
		ConnectDone: func(_, _ string, err error) {
			// Of several addresses the one that answered counts.
			if err == nil {
				t.dialing(func() *record.Time { return &t.h.ConnectDone }, false)
			}
		},
		TLSHandshakeStart: func() { t.dialing(func() *record.Time { return &t.h.TLSStart }, false) },
		TLSHandshakeDone:  t.tlsDone,
		GotConn:           t.gotConn,
		WroteHeaders:      t.wroteHeaders,
		WroteRequest:      t.wroteRequest,
		GotFirstResponseByte: func() {
			t.firstByte()
		},
	}
}

// getConn begins the search for a connection: anew, when net/http found that
// the one it had was closed before anything was written.
func (t *trace) getConn(string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.h = record.HTTP{}
		t.sentBegan = 0
		t.sent = 0
		t.lease = lease{}
		t.got = false
	}
}

// dialing notes the present in a field, the first time only unless again.
func (t *trace) dialing(field func() *record.Time, again bool) {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.got || t.closed {
		return
	}
	if f := field(); again || !f.Known() {
		*f = now
	}
}

func (t *trace) tlsDone(_ tls.ConnectionState, err error) {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.got || t.closed {
		return
	}
	if err != nil {
		t.tlsErr = true
		return
	}
	t.h.TLSDone = now
}

func (t *trace) gotConn(info httptrace.GotConnInfo) {
	now := t.clock.Now()
	remote := info.Conn.RemoteAddr().String()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.got, t.lease = true, take(info.Conn)
	reused := info.Reused || t.lease.early()
	if t.shared {
		t.lease = lease{}
	}
	h := &t.h
	h.GotConn, h.Reused, h.Remote = now, reused, remote
	// A stage that began and did not end is that of a dial which lost against
	// a connection that became free.
	for _, stage := range [...][2]*record.Time{
		{&h.DNSStart, &h.DNSDone}, {&h.ConnectStart, &h.ConnectDone}, {&h.TLSStart, &h.TLSDone},
	} {
		if reused || !stage[0].Known() || !stage[1].Known() {
			*stage[0], *stage[1] = 0, 0
		}
	}
}

func (t *trace) wroteHeaders() {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.h.HeadersSent = now
	}
}

// wroteRequest is called when the request is in net/http's buffer, which is
// not yet the wire: a short request is flushed afterwards. Cancelling right
// then would cancel what was never sent.
func (t *trace) wroteRequest(info httptrace.WroteRequestInfo) {
	if info.Err != nil {
		return
	}
	t.mu.Lock()
	l := t.lease
	t.mu.Unlock()
	if l.conn == nil {
		t.wroteUnseen()
		return
	}
	if _, written, _ := l.bytes(); written >= t.size {
		t.wroteAll(l)
		return
	}
	l.conn.afterWrite(func() { t.wroteAll(l) })
}

// wroteAll is called when the last byte was written in the use l of a
// connection.
func (t *trace) wroteAll(l lease) {
	t.mu.Lock()
	if t.closed || t.sent.Known() || t.lease != l {
		t.mu.Unlock()
		return
	}
	t.sentBegan, t.sent = t.lastWrite()
	_, t.h.BytesSent, _ = l.bytes()
	t.noteLocked()
}

// wroteUnseen is wroteAll where the connection is not to be seen: the time is
// the present.
func (t *trace) wroteUnseen() {
	now := t.clock.Now()
	t.mu.Lock()
	if t.closed || t.sent.Known() {
		t.mu.Unlock()
		return
	}
	// The hook runs on a goroutine that may be late: a reply that came before
	// it is believed over it.
	t.sentBegan, t.sent = 0, now
	t.noteLocked()
}

// noteLocked tells once that the request was written. It unlocks mu.
func (t *trace) noteLocked() {
	again := t.noted
	t.noted = true
	t.mu.Unlock()
	if again {
		return
	}
	close(t.written)
	if t.wrote != nil {
		t.wrote()
	}
}

// settle waits until the goroutine that writes has noted that it did. With a
// whole reply at hand it did long ago; only the note, and with it the count of
// bytes sent, can be a moment behind. A server that answers before it has read
// the whole request makes the wait vain, so it is short.
func (t *trace) settle() {
	select {
	case <-t.written:
		return
	default:
	}
	limit := time.NewTimer(50 * time.Millisecond)
	defer limit.Stop()
	select {
	case <-t.written:
	case <-limit.C:
	}
}

// lastWrite is when the connection's last write began and ended; one that has
// not noted its end has the beginning twice.
func (t *trace) lastWrite() (began, ended record.Time) {
	before, after := t.lease.conn.LastWrite()
	if after.IsZero() {
		after = before
	}
	return t.clock.At(before), t.clock.At(after)
}

func (t *trace) firstByte() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	s, _ := t.lease.stamp()
	t.h.FirstByte = t.clock.At(s.At)
}

// reached is what the trace knows about how far a request got.
func (t *trace) reached() (reached, lease) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return reached{connected: t.got, reused: t.h.Reused, answered: t.h.FirstByte.Known(), tlsFailed: t.tlsErr}, t.lease
}

// close ends the collection and returns the times of the connection and when
// the request was sent.
//
// The goroutine that writes can be late in noting that it has written: the
// reply may be read before. A write that had begun by the time the reply came
// is then said to have ended with the reply's first byte at the latest, so
// that no wait is negative.
func (t *trace) close() (h record.HTTP, sent record.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	h, sent = t.h, t.sent
	if !h.FirstByte.Known() {
		return h, sent
	}
	if !sent.Known() && t.lease.ours() {
		if began, ended := t.lastWrite(); began >= h.GotConn {
			t.sentBegan, sent = began, ended
		}
	}
	if t.sentBegan <= h.FirstByte {
		sent = min(sent, h.FirstByte)
	}
	if sent.Known() {
		h.HeadersSent = min(h.HeadersSent, sent)
	}
	return h, sent
}
