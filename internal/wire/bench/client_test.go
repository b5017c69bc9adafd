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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headway/internal/openai"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// job is what a client process is told to do, in its environment.
type job struct {
	Kind    string   // "epoll", "std", "nethttp"; "replies"
	Port    int      // of the server on 127.0.0.1
	Streams int      // at once; of "replies" the slots, 0 for a schedule
	Events  int      // each stream brings
	Warm    float64  // seconds of events before the measurement
	Seconds float64  // of the measurement, or of the schedule
	Rate    float64  // of the schedule, requests/s
	Count   int      // of requests in a closed loop
	Pages   []string // of metrics that are read once a second meanwhile
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

type keep struct{ all []*record.Record }

func (k *keep) Take(r *record.Record) error { k.all = append(k.all, r); return nil }

func target(t *testing.T, j job, via string) *openai.Target {
	x, err := openai.NewTarget(openai.Config{URLs: []string{fmt.Sprint("http://127.0.0.1:", j.Port)},
		Models:    []string{"m"},
		Streaming: true, Transport: via, Timeout: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func requests(n, tokens int) []workload.Request {
	all := make([]workload.Request, n)
	for i := range all {
		all[i] = workload.Request{Index: i, Session: strconv.Itoa(i), Turns: 1, Prompt: workload.Prompt{Text: "x"},
			OutputTokens: tokens}
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
	defer sampling(t, j, clock)()
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
	if _, err := g.Run(t.Context(),
		workload.Plan{Source: source(all), Concurrency: j.Streams, Requests: j.Streams}); err != nil {
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
	f.UserspaceStamps = 1
	return f
}

func post(j job) *http.Request {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
		fmt.Sprint("http://127.0.0.1:", j.Port, "/"), strings.NewReader("{}"))
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
	defer sampling(t, j, g.Clock)()
	began, _ := cpu()
	if _, err := g.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	f.CPU, _ = cpu()
	f.CPU -= began
	f.sends(sink.all, all, j.Streams)
	return f
}
