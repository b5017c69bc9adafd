//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// size is how much is measured.
type size struct {
	streams, rounds     int
	rate, warm, seconds float64
	poisson             float64 // seconds
	few                 int     // requests for the median TTFT
}

// TestWire prints the table of docs/performance.md. It measures with
// WIRE_BENCH=full, and with WIRE_BENCH=short in a form for a busy machine,
// whose figures are for the log; nothing in it fails for being slow.
func TestWire(t *testing.T) {
	s := size{streams: 10000, rounds: 5, rate: 100000, warm: 1, seconds: 5, poisson: 20, few: 5000}
	switch os.Getenv("WIRE_BENCH") {
	case "":
		t.Skip("set WIRE_BENCH=full or short, or use make bench-wire")
	case "short":
		s = size{streams: 1000, rounds: 1, rate: 20000, warm: 0.3, seconds: 1, poisson: 2, few: 1000}
	case "one":
		s.rounds = 1
	}
	if runtime.NumCPU() < 2 {
		t.Skip("the server and the client need a core each")
	}
	b := &rig{T: t, size: s, server: compile(t, "server"), client: compile(t, "client")}
	fmt.Printf("%d streams, %.0f events/s of 272 bytes, server on core 0, client on core 1, %d rounds of %.0f s: "+
		"median (lowest to highest)\n\n",
		s.streams, s.rate, s.rounds, s.seconds)
	only := os.Getenv("WIRE_BENCH_ONLY")
	arms, stop := b.arms(slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool {
		return only != "" && !slices.Contains(strings.Split(only, ","), k.name)
	}))
	defer stop()
	// Every client has its turn in every round, so that what else the machine
	// does falls on all of them.
	sends := only == "" || strings.Contains(only, "sends")
	for range s.rounds {
		b.round(arms, sends)
	}
	if s.streams < 10000 {
		fmt.Println("The bars are asked of the full form, on a machine with nothing else to do.")
	}
	for _, a := range arms {
		a.print()
	}
}

// round measures every client of every arm, one arm right after the other.
func (b *rig) round(arms []*arm, sends bool) {
	b.Helper()
	for i := range arms[0].rows {
		for _, a := range arms {
			b.sampled = a.pages
			a.rows[i].add(b, b.one(a.rows[i].name))
		}
	}
	for _, a := range arms {
		if b.sampled = a.pages; sends {
			b.sends(&a.found)
		}
	}
	b.sampled = nil
}

type rig struct {
	*testing.T
	size
	server, client string
	headway        string   // the program, once it is built
	sampled        []string // the pages that clients read meanwhile
}

// kind is a client that is measured; "+spin" shares its core with a busy loop.
type kind struct{ name, title string }

var kinds = []kind{
	{"floor", "C, epoll, only reads"}, {"epoll", "headway, epoll, complete"}, {"std", "headway, std, complete"},
	{"nethttp", "net/http, lines"}, {"epoll+spin", "headway, epoll, core shared"},
	{"nethttp+spin", "net/http, lines, core shared"},
}

// row is a line of the table: what was found in each round.
type row struct {
	kind
	cpu, own, rate, p50, p99, p999, memory, shared []float64
}

func (r *row) add(b *rig, f found) {
	if f.Failed > 0 || f.Records != b.streams && r.name != "floor" {
		b.Errorf("%s: %d of %d streams failed", r.name, f.Failed, f.Records)
	}
	r.cpu = append(r.cpu, f.CPU/float64(f.Events)*1e6)
	r.own = append(r.own, f.Own/float64(f.Events)*1e6)
	r.rate = append(r.rate, float64(f.Events)/f.Span/1e3)
	if r.name == "floor" {
		return
	}
	r.p50, r.p99, r.p999 = append(r.p50, f.Errors[0]), append(r.p99, f.Errors[1]), append(r.p999, f.Errors[2])
	r.memory, r.shared = append(r.memory, f.Memory), append(r.shared, 100*f.Shared)
}

func (r *row) print() {
	fmt.Printf("%-30s %-20s %-22s %-20s", r.title, spread("%.0f", r.rate), spread("%.2f", r.cpu), spread("%.2f", r.own))
	if r.name != "floor" {
		fmt.Printf(" %-24s %-24s %-26s %s, %s %% read together", spread("%.1f", r.p50), spread("%.1f", r.p99),
			spread("%.1f", r.p999),
			spread("%.0f", r.memory), spread("%.2f", r.shared))
	}
	fmt.Println()
}

// one runs a server and one client.
func (b *rig) one(kind string) (f found) {
	b.Helper()
	total := b.warm + b.seconds + 1.5
	port, stop := b.serve(fmt.Sprint(b.streams), fmt.Sprint(b.rate), fmt.Sprint(total))
	defer stop()
	kind, spin := strings.CutSuffix(kind, "+spin")
	if spin {
		defer b.spin()()
	}
	if kind == "floor" {
		out := b.onCore1(exec.Command(b.client, "floor", "1", port, fmt.Sprint(b.streams), fmt.Sprint(b.warm),
			fmt.Sprint(b.seconds)))
		if err := json.Unmarshal(out, &f); err != nil {
			b.Fatalf("floor: %v in %s", err, out)
		}
		return f
	}
	j := job{Kind: kind, Streams: b.streams, Events: int(b.rate * total / float64(b.streams)), Warm: b.warm,
		Seconds: b.seconds}
	return b.run(j, port)
}

// run starts a client process and reads what it found.
func (b *rig) run(j job, port string) (f found) {
	b.Helper()
	if _, err := fmt.Sscan(port, &j.Port); err != nil {
		b.Fatal(err)
	}
	j.Pages = b.sampled
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^TestClient$", "-test.v")
	if p := os.Getenv("WIRE_BENCH_PROFILE"); p != "" {
		c.Args = append(c.Args, "-test.cpuprofile="+p+"."+j.Kind)
	}
	c.Env = append(os.Environ(), "WIRE_BENCH_JOB="+string(text))
	for line := range bytes.Lines(b.onCore1(c)) {
		if rest, ok := bytes.CutPrefix(line, []byte("found ")); ok {
			if err := json.Unmarshal(rest, &f); err != nil {
				b.Fatal(err)
			}
			return f
		}
	}
	b.Fatalf("%s: the client found nothing", j.Kind)
	return f
}

// onCore1 runs a command on core 1 alone: a child begins with the affinity of
// the thread that starts it.
func (b *rig) onCore1(c *exec.Cmd) []byte {
	b.Helper()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, os.Stderr
	b.start(c, 1)
	if err := c.Wait(); err != nil {
		b.Fatalf("%s: %v\n%s", c.Path, err, out.Bytes())
	}
	return out.Bytes()
}

// start starts a command on one core.
func (b *rig) start(c *exec.Cmd, core int) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		b.Fatal(err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		b.Fatal(err)
	}
	err := c.Start()
	if e := unix.SchedSetaffinity(0, &all); e != nil || err != nil {
		b.Fatal(err, e)
	}
}

// serve starts a server on core 0; stop ends it.
func (b *rig) serve(args ...string) (port string, stop func()) {
	b.Helper()
	c := exec.Command(b.server, append([]string{"0"}, args...)...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReader(out)
	if port, err = r.ReadString('\n'); err != nil {
		b.Fatal("starting the server: ", err)
	}
	return strings.TrimSpace(port), func() {
		_ = in.Close() // the server may have ended
		rest, _ := io.ReadAll(r)
		if os.Getenv("WIRE_BENCH_VERBOSE") != "" && len(rest) > 0 {
			fmt.Printf("  server: %s", rest)
		}
		_ = c.Wait() // its figures are for the eye
	}
}

// spin keeps core 1 busy until the returned function is called.
func (b *rig) spin() (stop func()) {
	b.Helper()
	c := exec.Command(b.client, "spin", "1")
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	return func() {
		_ = in.Close() // which ends it
		_ = c.Wait()
	}
}

func (b *rig) replies(j job, delay int) found {
	b.Helper()
	port, stop := b.serve("replies", fmt.Sprint(delay))
	defer stop()
	f := b.run(j, port)
	want := j.Count
	if j.Rate > 0 {
		want = int(j.Rate * j.Seconds)
	}
	if f.Failed > 0 || f.Records != want {
		b.Errorf("%d of %d requests failed, %d were planned", f.Failed, f.Records, want)
	}
	return f
}

// spread is the median and, of several, the lowest and the highest.
func spread(format string, v []float64) string {
	v = slices.Sorted(slices.Values(v))
	if len(v) == 0 {
		return "–"
	}
	s := fmt.Sprintf(format, v[len(v)/2])
	if len(v) > 1 {
		s += fmt.Sprintf(" ("+format+" to "+format+")", v[0], v[len(v)-1])
	}
	return s
}

func compile(t *testing.T, name string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), name)
	out, err := exec.Command("cc", "-O2", "-Wall", "-o", bin, filepath.Join("testdata", name+".c")).CombinedOutput()
	if err != nil {
		t.Skipf("compiling %s.c: %v: a C compiler is needed\n%s", name, err, out)
	}
	return bin
}
