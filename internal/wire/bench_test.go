package wire

import (
	"net"
	"testing"
)

// message has the size of a usual chunk of a streamed chat completion.
var message = make([]byte, 272)

// TestReadAllocatesNothing holds the promise that a read between the kernel
// and its caller makes no garbage.
func TestReadAllocatesNothing(t *testing.T) {
	sender, c := stamped(t)
	buf := make([]byte, 4096)
	allocs := testing.AllocsPerRun(1000, func() {
		if _, err := sender.Write(message); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(buf); err != nil {
			t.Fatal(err)
		}
		c.Stamp()
	})
	if allocs != 0 {
		t.Errorf("%v allocations per read", allocs)
	}
}

// BenchmarkRead writes a message and reads it, on one goroutine; the
// difference between the two is what the stamps cost.
func BenchmarkRead(b *testing.B) {
	for _, bb := range []struct {
		name string
		wrap func(net.Conn) net.Conn
	}{
		{"TCPConn", func(c net.Conn) net.Conn { return c }},
		{"Conn", func(c net.Conn) net.Conn { return NewConn(c) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			sender, server := tcpPair(b)
			c := bb.wrap(server)
			buf := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sender.Write(message); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Read(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFeed splits a chunk of a streamed chat completion.
func BenchmarkFeed(b *testing.B) {
	event := []byte(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",` +
		`"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}` + "\n\n")
	named := append([]byte("event: chunk\n"), event...)
	ignore := func(Event) error { return nil }
	for _, bb := range []struct {
		name   string
		pieces [][]byte
	}{
		{"whole", [][]byte{event}},
		{"named", [][]byte{named}},
		{"cut", [][]byte{event[:100], event[100:]}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var s Splitter
			b.ReportAllocs()
			b.SetBytes(int64(len(event)))
			for b.Loop() {
				for _, p := range bb.pieces {
					if err := s.Feed(p, ignore); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
