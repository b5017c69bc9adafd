package cluster

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"headway/internal/engine"
)

// BenchmarkServe serves waves of 250 streams of 60 tokens each to clients in
// the same process that look at nothing but the end of the stream. "flat out"
// lets the worker take no time; "paced" gives every stream 60 tokens a second,
// as a busy server does. The processor time is that of both sides.
func BenchmarkServe(b *testing.B) {
	const streams, tokens = 250, 60
	for _, v := range []struct {
		name   string
		timing engine.Timing
	}{
		{"flat out", engine.Fixed{}},
		{"paced", engine.Fixed{TTFT: 50 * time.Millisecond, ITL: time.Second / 60}},
		{"in step", engine.Polynomial{}},
	} {
		b.Run(v.name, func(b *testing.B) {
			e := serve(b, ServerConfig{Engine: engine.Config{Timing: v.timing}})
			clients := make([]*rawClient, streams)
			for i := range clients {
				clients[i] = dialRaw(b, e.url[len("http://"):])
			}
			body := chat("x", fmt.Sprintf(`,"max_tokens":%d,"stream":true`, tokens))
			began, waves := processorTime(b), 0
			for b.Loop() {
				var wave sync.WaitGroup
				for _, c := range clients {
					wave.Go(func() {
						c.send(body)
						c.untilDone()
					})
				}
				wave.Wait()
				waves++
			}
			n := float64(waves * streams * tokens)
			used := processorTime(b) - began
			b.ReportMetric(n/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(used.Microseconds())/n, "cpu-µs/token")
			b.ReportMetric(used.Seconds()/b.Elapsed().Seconds(), "cores")
			for _, c := range clients {
				if err := c.conn.(*net.TCPConn).Close(); err != nil {
					b.Error(err)
				}
			}
		})
	}
}

// untilDone reads to the last chunk of a reply.
func (c *rawClient) untilDone() {
	for {
		n, err := c.conn.Read(c.buf)
		if err != nil {
			c.t.Error(err)
			return
		}
		if bytes.HasSuffix(c.buf[:n], []byte("0\r\n\r\n")) {
			return
		}
	}
}

// processorTime is what the process has used so far, user and system.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
