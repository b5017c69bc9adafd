//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"headway/internal/openai"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// job is what a client process is told to do, in its environment.
type job struct {
	Kind    string  // "epoll", "std", "nethttp"; "replies"
	Port    int     // of the server on 127.0.0.1
	Streams int     // at once; of "replies" the slots, 0 for a schedule
	Events  int     // each stream brings
	Warm    float64 // seconds of events before the measurement
	Seconds float64 // of the measurement, or of the schedule
	Rate    float64 // of the schedule, requests/s
	Count   int     // of requests in a closed loop
}

// found is what it prints.
type found struct {
	CPU     float64   `json:"cpu"`    // seconds, of the measurement
	Own     float64   `json:"own"`    // of that, in the process's own code
	Events  int       `json:"events"` // in it
	Span    float64   `json:"span"`   // its seconds
	Errors  []float64 `json:"errors"` // of stamps: p50, p99, p99.9, µs
	Shared  float64   `json:"shared"` // share of arrivals read together with another
	User    float64   `json:"user"`   // share of arrivals stamped in user space
	Memory  float64   `json:"memory"` // bytes a stream beside Records and bodies
	Failed  int       `json:"failed"`
	TTFT    float64   `json:"ttft"`   // median, µs
	Late    []float64 `json:"late"`   // planned to sent: p50, p99, p99.9, max, µs
	Spans   []float64 `json:"spans"`  // of the schedule and of the sends, s
	Spread  float64   `json:"spread"` // of the first sends of a closed loop, µs
	Records int       `json:"records"`
}

// TestClient is not a test: it is the client process of the measurement.
func TestClient(t *testing.T) {
	text := os.Getenv("WIRE_BENCH_JOB")
	if text == "" {
		t.Skip("started by TestWire only")
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		t.Fatal(err)
	}
	var f found
	switch j.Kind {
	case "nethttp":
		f = lines(t, j)
	case "replies":
		f = replies(t, j)
	default:
		f = streams(t, j)
	}
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("found %s\n", out)
}

// monotonic ties the clock of Records to the server's CLOCK_MONOTONIC: the
// difference, to some ten nanoseconds.
func monotonic(c record.Clock) int64 {
	best, diff := time.Hour, int64(0)
	for range 1000 {
		var ts unix.Timespec
		before := time.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			panic(err)
		}
		after := time.Now()
		if took := after.Sub(before); took < best {
			best, diff = took, ts.Nano()-int64(c.At(before.Add(took/2)))
		}
	}
	return diff
}

// cpu is what this process has used, and how much of it in its own code.
func cpu() (all, user float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, float64(u.Utime.Nano()) / 1e9
}

type keep struct{ all []*record.Record }

func (k *keep) Take(r *record.Record) error { k.all = append(k.all, r); return nil }

func target(t *testing.T, j job, via string) *openai.Target {
	x, err := openai.NewTarget(openai.Config{URLs: []string{fmt.Sprint("http://127.0.0.1:", j.Port)}, Models: []string{"m"},
		Streaming: true, Transport: via, Timeout: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func requests(n, tokens int) []workload.Request {
	all := make([]workload.Request, n)
	for i := range all {
		all[i] = workload.Request{Index: i, Session: strconv.Itoa(i), Turns: 1, Prompt: workload.Prompt{Text: "x"}, OutputTokens: tokens}
	}
	return all
}

func source(all []workload.Request) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// inUse is the memory of heap and stacks after a collection.
func inUse() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// recordBytes is what the Record of one stream takes from its start: measured,
// since the allocator rounds up.
func recordBytes(n, tokens int) float64 {
	all := make([]*record.Tape, n)
	before := inUse()
	for i := range all {
		t := record.NewTape(record.Clock{}, record.Record{}, nil)
		t.Arrivals = make([]record.Arrival, 0, tokens+4)
		t.Text.Pieces = make([]record.Piece, 0, tokens+4)
		t.Text.Content = make([]byte, 0, 6*(tokens+4))
		t.RequestID, t.CorrelationID = strings.Repeat("x", 36), strings.Repeat("y", 36)
		all[i] = t
	}
	used := inUse() - before
	runtime.KeepAlive(all)
	return used / float64(n)
}

// streams measures a whole client: generator, target, framing, content,
// Records.
func streams(t *testing.T, j job) (f found) {
	x := target(t, j, j.Kind)
	defer x.Close()
	if err := x.Preconnect(t.Context(), j.Streams); err != nil {
		t.Fatal(err)
	}
	all := requests(j.Streams, j.Events)
	clock := record.NewClock()
	diff := monotonic(clock)
	sink := &keep{all: make([]*record.Record, 0, j.Streams)}
	g := &load.Generator{Target: x, Sink: sink, Clock: clock}
	records := recordBytes(j.Streams, j.Events)
	before := inUse() // with connections, which are the kernel's but for their sockets

	var from, to record.Time
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for g.Snapshot().InFlight < int64(j.Streams) {
			pause(5 * time.Millisecond)
		}
		pause(100 * time.Millisecond)
		f.Memory = (inUse()-before)/float64(j.Streams) - records
		for g.Snapshot().Waiting > 0 {
			pause(5 * time.Millisecond)
		}
		pause(time.Duration(j.Warm * 1e9))
		c, own := cpu()
		from = clock.Now()
		pause(time.Duration(j.Seconds * 1e9))
		f.CPU, f.Own = cpu()
		f.CPU, f.Own, to = f.CPU-c, f.Own-own, clock.Now()
	}()
	if _, err := g.Run(t.Context(), workload.Plan{Source: source(all), Concurrency: j.Streams, Requests: j.Streams}); err != nil {
		t.Fatal(err)
	}
	<-watched
	f.Span = time.Duration(to - from).Seconds()
	f.judge(sink.all, from, to, diff)
	return f
}

// pause is a span of a measurement, or between two looks at one. Nothing is
// asserted of it: how much happened in it is what is measured.
func pause(d time.Duration) { <-time.After(d) }

// judge holds the arrivals of the measured span against the send times in
// them.
func (f *found) judge(all []*record.Record, from, to record.Time, diff int64) {
	var off []float64
	var together, user int
	for _, r := range all {
		f.Records++
		if r.Outcome != record.OK {
			f.Failed++
			fmt.Fprintln(os.Stderr, r.Failure)
			continue
		}
		for i := range len(r.Text.Content) / 20 {
			a := r.Arrivals[i]
			if a.At < from || a.At > to {
				continue
			}
			sent, err := strconv.ParseInt(string(r.Text.Content[20*i:20*i+20]), 10, 64)
			if err != nil {
				f.Failed++
				break
			}
			f.Events++
			off = append(off, float64(int64(a.At)+diff-sent)/1e3)
			// As in the audit of a run: all of a read with several events.
			if a.Together {
				together++
				if i > 0 && !r.Arrivals[i-1].Together {
					together++
				}
			}
			if a.User {
				user++
			}
		}
	}
	f.Errors = quantiles(off, 0.5, 0.99, 0.999)
	f.Shared, f.User = float64(together)/float64(max(1, f.Events)), float64(user)/float64(max(1, f.Events))
}

func quantiles(v []float64, q ...float64) []float64 {
	out := make([]float64, len(q))
	slices.Sort(v)
	for i, p := range q {
		out[i] = math.NaN()
		if len(v) > 0 {
			out[i] = v[min(len(v)-1, int(p*float64(len(v))))]
		} else {
			out[i] = 0
		}
	}
	return out
}

// lines measures what a client usually does: net/http and a scanner for lines,
// the clock at each.
func lines(t *testing.T, j job) (f found) {
	// A few connects at a time: the backlog of a listener is short.
	gate := make(chan struct{}, 64)
	tr := &http.Transport{MaxIdleConnsPerHost: 1 << 20, DisableCompression: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			gate <- struct{}{}
			defer func() { <-gate }()
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}
	clock := record.NewClock()
	diff := monotonic(clock)
	before := inUse()
	var begun, events atomic.Int64
	var from, to atomic.Int64
	to.Store(math.MaxInt64)
	from.Store(math.MaxInt64)
	errors := make([][]float64, j.Streams)
	var wg sync.WaitGroup
	var open atomic.Int64
	for i := range j.Streams {
		wg.Go(func() {
			resp, err := tr.RoundTrip(post(j))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			open.Add(1)
			scanner := bufio.NewScanner(resp.Body)
			first := true
			for scanner.Scan() {
				line := scanner.Bytes()
				k := bytes.Index(line, []byte(`"content":"`))
				if k < 0 {
					continue
				}
				at := int64(clock.Now())
				if first {
					first = false
					begun.Add(1)
				}
				if at < from.Load() || at > to.Load() {
					continue
				}
				sent, _ := strconv.ParseInt(string(line[k+11:k+31]), 10, 64)
				errors[i] = append(errors[i], float64(at+diff-sent)/1e3)
				events.Add(1)
			}
		})
	}
	for open.Load() < int64(j.Streams) {
		pause(5 * time.Millisecond)
	}
	pause(100 * time.Millisecond)
	f.Memory = (inUse() - before) / float64(j.Streams)
	for begun.Load() < int64(j.Streams) {
		pause(5 * time.Millisecond)
	}
	pause(time.Duration(j.Warm * 1e9))
	t0 := time.Now()
	c, own := cpu()
	from.Store(int64(clock.Now()))
	pause(time.Duration(j.Seconds * 1e9))
	f.CPU, f.Own = cpu()
	f.CPU, f.Own, f.Span = f.CPU-c, f.Own-own, time.Since(t0).Seconds()
	to.Store(int64(clock.Now()))
	wg.Wait()
	f.Events, f.Records = int(events.Load()), j.Streams
	f.Errors = quantiles(slices.Concat(errors...), 0.5, 0.99, 0.999)
	f.User = 1
	return f
}

func post(j job) *http.Request {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, fmt.Sprint("http://127.0.0.1:", j.Port, "/"), strings.NewReader("{}"))
	if err != nil {
		panic(err)
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("{}")), nil }
	return req
}

// replies measures sending: a Poisson schedule, or slots of a closed loop.
func replies(t *testing.T, j job) (f found) {
	x := target(t, j, openai.TransportEpoll)
	defer x.Close()
	plan := workload.Plan{Concurrency: j.Streams}
	all := requests(j.Count, 1)
	open := j.Streams
	if j.Rate > 0 {
		draw := rand.New(rand.NewPCG(1, 2))
		all = requests(int(j.Rate*j.Seconds), 1)
		at := 0.0
		for i := range all {
			all[i].Timed, all[i].At = true, time.Duration(at*1e9)
			at += draw.ExpFloat64() / j.Rate
		}
		open = 2000
	}
	if err := x.Preconnect(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	plan.Source, plan.Requests = source(all), len(all)
	sink := &keep{}
	g := &load.Generator{Target: x, Sink: sink, Clock: record.NewClock()}
	began, _ := cpu()
	if _, err := g.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	f.CPU, _ = cpu()
	f.CPU -= began
	f.sends(sink.all, all, j.Streams)
	return f
}

// sends looks at when requests were sent.
func (f *found) sends(records []*record.Record, all []workload.Request, slots int) {
	var late, ttft, sent []float64
	for _, r := range records {
		f.Records++
		if r.Outcome != record.OK {
			f.Failed++
			fmt.Fprintln(os.Stderr, r.Failure)
			continue
		}
		late = append(late, float64(r.Sent-r.Planned)/1e3)
		ttft = append(ttft, float64(r.Arrivals[0].At-r.Start)/1e3)
		sent = append(sent, float64(r.Sent)/1e3)
	}
	f.Late = quantiles(late, 0.5, 0.99, 0.999, 1)
	f.TTFT = quantiles(ttft, 0.5)[0]
	slices.Sort(sent)
	if len(sent) == 0 {
		return
	}
	if slots > 0 {
		f.Spread = sent[min(slots, len(sent))-1] - sent[0]
	}
	f.Spans = []float64{all[len(all)-1].At.Seconds(), (sent[len(sent)-1] - sent[0]) / 1e6}
}
