//go:build linux

package bench

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// faultySeed names the environment variable that makes the test binary a server
// with random faults; its value is the seed and the time between events.
const faultySeed = "WIRE_FAULTY"

// TestFaultyServer is that server, until its standard input ends. It prints its
// port.
func TestFaultyServer(t *testing.T) {
	var seed uint64
	var gap time.Duration
	if n, err := fmt.Sscanf(os.Getenv(faultySeed), "%d %d", &seed, &gap); n < 2 || err != nil {
		t.Skip("a server for TestSoak, in a process of its own")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
	go func() {
		for n := seed; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s := faulty{Conn: c, gap: gap, rand: rand.New(rand.NewPCG(n, 1))}
			go s.serve()
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// serveFaults starts the server; stop ends it.
func serveFaults(t *testing.T, gap time.Duration) (url string, stop func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestFaultyServer$", "-test.timeout=0")
	c.Env = append(os.Environ(), fmt.Sprintf("%s=1 %d", faultySeed, gap))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r, port := bufio.NewReader(out), 0
	for port == 0 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal("starting the server: ", err)
		}
		_, _ = fmt.Sscanf(line, "port %d", &port)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port), func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, r)
		_ = c.Wait() // killed or ended: it has no figures
	}
}

// faulty is a connection of the server.
type faulty struct {
	net.Conn
	gap  time.Duration // between two events
	rand *rand.Rand
}

const (
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	streamEnd  = "0\r\n\r\n"
)

func (f *faulty) serve() {
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, q.Body); err != nil || !f.answer() {
			return
		}
	}
}

// answer sends a whole reply in four of five cases and a broken one else; false
// ends the connection.
func (f *faulty) answer() bool {
	if f.rand.IntN(5) > 0 {
		return f.say(streamHead) && f.events(10) && f.say(event("data: [DONE]\n\n")+streamEnd)
	}
	switch fault := f.rand.IntN(12); fault {
	case 0:
		return f.say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nboom")
	case 1:
		return f.say("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}")
	case 2: // the connection is reset in the middle
		_ = f.say(streamHead) && f.events(3)
		_ = f.Conn.(*net.TCPConn).SetLinger(0)
		return false
	case 3: // closed in the middle
		_ = f.say(streamHead) && f.events(3)
		return false
	case 4: // closed before any byte
		return false
	case 5:
		_ = f.say("\x00\xff garbage\r\n\r\n")
		return false
	case 6: // a chunk size that is none
		_ = f.say(streamHead) && f.events(1) && f.say("xyz\r\n")
		return false
	case 7: // an event that is no JSON
		return f.say(streamHead) && f.events(1) &&
			f.say(event("data: {\"choices\":[{\n\n")+event("data: [DONE]\n\n")+streamEnd)
	case 8: // an error in the stream
		return f.say(streamHead) && f.events(2) &&
			f.say(event("data: {\"error\":{\"message\":\"out of memory\"}}\n\n")+streamEnd)
	case 9: // silence, longer than any request may take
		_ = f.SetReadDeadline(time.Now().Add(2 * time.Minute))
		_, _ = f.Read(make([]byte, 1))
		return false
	case 10: // a reply before the reply, and a byte at a time
		if !f.say("HTTP/1.1 102 Processing\r\n\r\n") {
			return false
		}
		for _, b := range []byte(streamHead) {
			if !f.say(string(b)) {
				return false
			}
		}
		return f.events(2) && f.say(event("data: [DONE]\n\n")+streamEnd)
	default: // no end mark
		return f.say(streamHead) && f.events(2) && f.say(streamEnd)
	}
}

func (f *faulty) say(text string) bool {
	_, err := io.WriteString(f, text)
	return err == nil
}

// events sends so many tokens.
func (f *faulty) events(n int) bool {
	for range n {
		time.Sleep(f.gap)
		if !f.say(event(`data: {"choices":[{"index":0,"delta":{"content":" x"}}]}` + "\n\n")) {
			return false
		}
	}
	return true
}

// event is text as a chunk.
func event(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
