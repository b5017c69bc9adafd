//go:build linux

package bench

import (
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// bar is a row of the second table: what was found in each round, and what is
// asked of its median.
type bar struct {
	what   string
	format string
	unit   string
	got    []float64
	most   float64 // that is allowed; NaN where nothing is asked
}

func (r bar) print() {
	asked, verdict := "–", ""
	if !math.IsNaN(r.most) {
		asked, verdict = fmt.Sprintf("≤ %g %s", r.most, r.unit), "met"
		if v := slices.Sorted(slices.Values(r.got)); v[len(v)/2] > r.most {
			verdict = "NOT MET"
		}
	}
	fmt.Printf("%-78s %-32s %-14s %s\n", r.what, spread(r.format, r.got)+" "+r.unit, asked, verdict)
}

// each makes a figure of every round of two rows.
func each(a, b []float64, f func(a, b float64) float64) []float64 {
	v := make([]float64, min(len(a), len(b)))
	for i := range v {
		v[i] = f(a[i], b[i])
	}
	return v
}

func over(a, b float64) float64 { return a / b }

// printBars prints what is asked, and whether it is met. What was not measured
// has no row.
func printBars(rows []*row, s sent) {
	of := func(name string) row {
		for _, r := range rows {
			if r.name == name {
				return *r
			}
		}
		return row{}
	}
	ours, shared := of("epoll"), of("epoll+spin")
	fmt.Printf("%-78s %-32s %-14s %s\n", "what", "found: median (lowest to highest)", "bar", "")
	for _, r := range []bar{
		{"CPU of an event, complete client, over a C epoll client that only reads", "%.2f", "times",
			each(ours.cpu, of("floor").cpu, over), 1.25},
		{"CPU of an event, complete client, over the std transport doing the same", "%.2f", "times",
			each(ours.cpu, of("std").cpu, over), 0.8},
		{"error of an arrival time, p50", "%.1f", "µs", ours.p50, 4},
		{"error of an arrival time, p99", "%.1f", "µs", ours.p99, 10},
		{"error of an arrival time, p99.9", "%.1f", "µs", ours.p999, 50},
		{"the same with the client's core shared with a busy loop, p99", "%.1f", "µs", shared.p99, 50},
		{"median TTFT moved by the busy loop", "%.3f", "%", s.moved, 2},
		{"memory per open stream beside Records, bodies and socket buffers", "%.0f", "bytes", ours.memory, 2048},
		{"first request on the wire, 10,000 requests of 2,000 tokens, one slot, one core", "%.0f", "ms", s.first, 300},
		{"  the same with 1,000 slots, whose texts are all made first, all cores", "%.0f", "ms",
			s.firstOfMany, math.NaN()},
		{"Poisson 5,000 requests/s: arrivals of the schedule that were not sent", "%.0f", "", s.missing, 0},
		{"Poisson 5,000 requests/s: span off the schedule's", "%.4f", "%", s.span, 0.1},
		{"Poisson 5,000 requests/s: planned to last byte sent, p50", "%.0f", "µs", s.lateP50, math.NaN()},
		{"Poisson 5,000 requests/s: planned to last byte sent, p99", "%.0f", "µs", s.late, 1000},
		{"Poisson 5,000 requests/s: planned to last byte sent, longest", "%.0f", "µs", s.longest, math.NaN()},
		{"Poisson 5,000 requests/s: CPU of a request", "%.0f", "µs", s.cpu, math.NaN()},
		{"closed loop of 1,000 slots: first sends within", "%.1f", "ms", s.slots, 20},
	} {
		if len(r.got) > 0 {
			r.print()
		}
	}
}

// sent is what was found about sending, a value for each round.
type sent struct {
	lateP50, late, longest, span, missing, cpu []float64 // of the schedule
	slots                                      []float64
	idle, busy, moved                          []float64 // median TTFT, and its change
	first, firstOfMany                         []float64
}

// sends measures when requests go out, and what a busy core does to the time
// to first token.
func (b *rig) sends(s *sent) {
	b.Helper()
	f := b.replies(job{Kind: "replies", Rate: 5000, Seconds: b.poisson}, 2000)
	s.lateP50, s.late, s.longest = append(s.lateP50, f.Late[0]), append(s.late, f.Late[1]), append(s.longest, f.Late[3])
	s.cpu = append(s.cpu, f.CPU/float64(f.Records)*1e6)
	s.span = append(s.span, 100*math.Abs(f.Spans[1]/f.Spans[0]-1))
	s.missing = append(s.missing, 5000*b.poisson-float64(f.Records-f.Failed))
	s.slots = append(s.slots, b.replies(job{Kind: "replies", Streams: 1000, Count: 4000}, 50000).Spread/1e3)
	few := job{Kind: "replies", Streams: 50, Count: b.few}
	idle := b.replies(few, 20000).TTFT
	stop := b.spin()
	busy := b.replies(few, 20000).TTFT
	stop()
	s.idle, s.busy, s.moved = append(s.idle, idle), append(s.busy, busy), append(s.moved, 100*math.Abs(busy/idle-1))
	s.first = append(s.first, b.first(1, true))
	s.firstOfMany = append(s.firstOfMany, b.first(1000, false))
}

// first starts the program anew and returns how long it takes from the start of
// the process to the first byte of a request at the server, in milliseconds.
// alone keeps it on one core.
func (b *rig) first(slots int, alone bool) float64 {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	arrived := make(chan time.Time, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			arrived <- time.Now()
		}
	}()
	c := exec.Command(b.program(), "run", "--model", "m", "--tokenizer", "builtin", "--streaming", "--isl", "2000",
		"--osl", "10",
		"--request-count", "10000", "--concurrency", fmt.Sprint(slots), "--ui-type", "none", "--url",
		"http://"+l.Addr().String(), "--artifact-dir", b.TempDir())
	for _, page := range b.sampled {
		c.Args = append(c.Args, "--server-metrics", page)
	}
	c.Stderr = os.Stderr
	began := time.Now()
	if alone {
		b.start(c, 1)
	} else if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case at := <-arrived:
		_ = c.Process.Kill() // nothing answers it
		<-ended
		return at.Sub(began).Seconds() * 1e3
	case err := <-ended:
		b.Fatalf("headway ended before it sent anything: %v", err)
	}
	return 0
}

// program builds headway, once.
func (b *rig) program() string {
	b.Helper()
	if b.headway == "" {
		b.headway = filepath.Join(b.TempDir(), "headway")
		out, err := exec.Command("go", "build", "-o", b.headway, "headway/cmd/headway").CombinedOutput()
		if err != nil {
			b.Fatalf("building headway: %v\n%s", err, out)
		}
	}
	return b.headway
}
