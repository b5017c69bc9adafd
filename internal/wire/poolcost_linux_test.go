//go:build linux && (amd64 || arm64)

package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// An event costs no memory between the kernel and the handler.
func TestPoolAllocations(t *testing.T) {
	step, stepped := make(chan int), make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		one := []byte("5\r\nhello\r\n")
		for n := range step {
			for range n {
				_, _ = c.Write(one)
			}
			stepped <- struct{}{}
		}
	}()
	p := testPool(t, busyRate)
	h := &counter{got: make(chan struct{}, 1<<16), done: make(chan struct{})}
	c := &Call{Server: l.Addr().String(), Request: request("/", ""), Handler: h}
	p.Do(t.Context(), c)
	round := func() {
		step <- 200
		<-stepped
		for range 200 {
			<-h.got
		}
	}
	// The kernel begins to stamp packets some time after the first socket of
	// the machine asked for it.
	for i := 0; i < 5000 && h.kernel.Load() == 0; i++ {
		round()
	}
	before := h.kernel.Load()
	allocs := testing.AllocsPerRun(10, round)
	close(step)
	<-h.done
	if allocs > 20 {
		t.Errorf("%v allocations for 200 events", allocs)
	}
	if n := h.kernel.Load() - before; n < 1000 {
		t.Errorf("%d of 2,200 arrivals have the kernel's time", n)
	}
}

type counter struct {
	kernel atomic.Int64
	got    chan struct{}
	done   chan struct{}
}

func (*counter) Head(Head, Stamp) error { return nil }

func (c *counter) Body(_ []byte, at Stamp, _ int64) error {
	if at.Kernel {
		c.kernel.Add(1)
	}
	c.got <- struct{}{}
	return nil
}

func (c *counter) End(error) { close(c.done) }
