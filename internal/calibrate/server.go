package calibrate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync"
	"time"

	"headway/internal/wire"
)

// command is a line that the server reads from its input.
type command struct {
	// Streams is how many requests the server waits for and then serves
	// together; 0 answers each at once with a stream of one event.
	Streams int `json:"streams"`
	// Rate is the events a second of all streams, Events how many each has.
	Rate   float64 `json:"rate"`
	Events int     `json:"events"`
}

// answer is the line that it writes when it has read one.
type answer struct {
	Error string `json:"error,omitempty"`
}

// served is the line that it writes when the streams have been served.
type served struct {
	// Rate is at what rate events went out.
	Rate float64 `json:"rate"`
}

// Serve is the server's side: it writes the port that it listens on, does what
// the lines of in say, and returns when in ends. The server is of no use to
// anybody else: it takes what asks for no more than a read, and answers nothing
// but streams.
func Serve(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the calibration: %w", err)
	}
	s := &sender{conns: make(map[net.Conn]struct{}), reply: oneReply()}
	var all sync.WaitGroup
	all.Go(func() { s.accept(l) })
	err = s.obey(in, out, l.Addr().(*net.TCPAddr).Port)
	_ = l.Close() // nothing is lost
	s.hangUp()
	all.Wait()
	return err
}

// sender is the server.
type sender struct {
	reply   []byte
	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	closing bool
	round   *round // nil while requests are answered at once
	running sync.WaitGroup
}

// round is streams that are served together.
type round struct {
	command
	mu    sync.Mutex
	conns []net.Conn
	full  chan struct{}
}

func (s *sender) obey(in io.Reader, out io.Writer, port int) error {
	if _, err := fmt.Fprintln(out, port); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("reading a command of the calibration: %w", err)
		}
		var r *round
		if c.Streams > 0 {
			r = &round{command: c, full: make(chan struct{})}
		}
		s.mu.Lock()
		s.round = r
		s.mu.Unlock()
		// The client waits for this line, so that no request comes before.
		var a answer
		if err := wire.NeedFiles(c.Streams); err != nil {
			a.Error = err.Error()
		}
		if err := write(out, a); err != nil {
			return err
		}
		if r == nil || a.Error != "" {
			continue
		}
		s.running.Go(func() { s.serve(r, out) })
	}
	return lines.Err()
}

// hangUp closes all connections and waits until nobody uses them.
func (s *sender) hangUp() {
	s.mu.Lock()
	s.closing = true
	for c := range s.conns {
		_ = c.Close() // nothing is lost
	}
	if r := s.round; r != nil {
		r.mu.Lock()
		if len(r.conns) < r.Streams {
			r.conns = nil
			r.Streams = 0
			close(r.full)
		}
		r.mu.Unlock()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *sender) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of files, for a while
			continue
		}
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			_ = c.Close() // nothing was said
			return
		}
		s.conns[c] = struct{}{}
		s.running.Go(func() {
			s.read(c)
			_ = c.Close() // it is over
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
		s.mu.Unlock()
	}
}

// requestRoom is what one request of the calibration's client takes at most.
const requestRoom = 2048

// read takes requests until the connection ends.
func (s *sender) read(c net.Conn) {
	var room [requestRoom]byte
	have := 0
	for {
		n, err := c.Read(room[have:])
		if err != nil || n == 0 {
			return
		}
		if have += n; !whole(room[:have]) {
			continue
		}
		have = 0
		s.mu.Lock()
		r := s.round
		s.mu.Unlock()
		if r == nil {
			if _, err := c.Write(s.reply); err != nil {
				return
			}
			continue
		}
		if _, err := io.WriteString(c, replyHead); err != nil {
			return
		}
		r.mu.Lock()
		if len(r.conns) < r.Streams {
			if r.conns = append(r.conns, c); len(r.conns) == r.Streams {
				close(r.full)
			}
		}
		r.mu.Unlock()
	}
}

// whole says whether p is a request with all of its body.
func whole(p []byte) bool {
	head, body, ok := bytes.Cut(p, []byte("\r\n\r\n"))
	if !ok {
		return false
	}
	_, rest, ok := bytes.Cut(head, []byte("\r\nContent-Length: "))
	digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	n, err := strconv.Atoi(string(digits))
	return ok && err == nil && len(body) >= n
}

// serve sends the events of a round, and says at what rate it did.
func (s *sender) serve(r *round, out io.Writer) {
	<-r.full
	if r.Streams == 0 {
		return
	}
	// A pause in which the client takes all heads.
	time.Sleep(20 * time.Millisecond)
	began := time.Now()
	threads := min(max(1, runtime.NumCPU()/2), 8, r.Streams)
	var all sync.WaitGroup
	for i := range threads {
		var mine []net.Conn
		for k := i; k < len(r.conns); k += threads {
			mine = append(mine, r.conns[k])
		}
		all.Go(func() { pour(mine, r.Rate*float64(len(mine))/float64(len(r.conns)), r.Events) })
	}
	all.Wait()
	took := time.Since(began).Seconds()
	for _, c := range r.conns {
		_, _ = io.WriteString(c, replyTail) // who has gone does not need it
	}
	_ = write(out, served{Rate: float64(r.Events*len(r.conns)) / took}) // a client that has gone does not read it
}

// write writes a line of JSON.
func write(out io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = out.Write(append(line, '\n'))
	}
	return err
}

// pour sends events to connections in turn, evenly over time. One that cannot
// be sent to is left out.
func pour(conns []net.Conn, rate float64, each int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buf, hole := eventTemplate()
	begin := time.Now()
	for k := range each * len(conns) {
		due := begin.Add(time.Duration(float64(k) * 1e9 / rate))
		late := waitFor(due)
		// After a long absence the rest is put off, not sent in a rush, which
		// would bring the next event of a stream too early.
		if late > 2*time.Millisecond {
			begin = begin.Add(late)
		}
		stampInto(buf[hole:hole+stampDigits], monotonic())
		_, _ = conns[k%len(conns)].Write(buf) // counted by the client, where it is missed
	}
}

// waitFor waits until due and returns how late it is then. Short waits are
// slept through on the thread itself: the runtime's timers are a millisecond
// coarse.
func waitFor(due time.Time) (late time.Duration) {
	for {
		late = time.Since(due)
		if late >= 0 {
			return late
		}
		nap(-late)
	}
}
