//go:build linux && (amd64 || arm64)

package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// slow is a Handler that does not come back from the first piece of a body
// until it is let.
type slow struct {
	*hearing
	let chan struct{}
}

func (s slow) Body(p []byte, at Stamp, read int64) error {
	err := s.hearing.Body(p, at, read)
	<-s.let
	return err
}

// A server that could not write any more, since nobody read, hears at once of a
// request that is given up. All that it has sent lies in the client's buffer,
// which one read empties: a connection that was then closed in the usual way
// would leave it waiting for room for a minute or two.
func TestCancelIsHeardByAServerThatWrites(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stuck, gone := make(chan struct{}), make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.(*net.TCPConn).SetWriteBuffer(4096)
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		block := make([]byte, 1<<20)
		_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		for err == nil {
			// Long enough for the kernel to fill the last bytes of room.
			_ = c.SetWriteDeadline(time.Now().Add(time.Second))
			_, err = c.Write(block)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			gone <- err
			return
		}
		close(stuck)
		_ = c.SetWriteDeadline(time.Time{})
		for err = nil; err == nil; {
			_, err = c.Write(block)
		}
		gone <- err
	}()
	p, err := newPool(&Dialer{RecvBuffer: 16384}, busyRate)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	h := slow{newHearing(), make(chan struct{})}
	c := &Call{Server: l.Addr().String(), Request: request("/", ""), Handler: h}
	p.Do(t.Context(), c)
	<-stuck
	c.Cancel(errors.New("enough"))
	close(h.let)
	<-h.done
	select {
	case err := <-gone:
		if err == nil {
			t.Error("the server wrote on")
		}
	case <-time.After(20 * time.Second):
		t.Error("the server still waits for room")
	}
}
