//go:build linux

package bench

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"headway/internal/openai"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// TestSoak keeps many streams of a server with random faults going for WIRE_SOAK
// ("10m") and fails when memory, files or goroutines grow, or when a request has
// no Record. WIRE_SOAK_STREAMS is how many, 10,000 unless it says so.
func TestSoak(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv("WIRE_SOAK"))
	if err != nil || d <= 0 {
		t.Skip("set WIRE_SOAK to a duration, or use make soak")
	}
	n := number(t, "WIRE_SOAK_STREAMS", 10000)
	url, stop := serveFaults(t, time.Second)
	defer stop()
	x := faultyTarget(t, url)
	defer x.Close()
	if err := x.Preconnect(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	count := &counting{}
	g := &load.Generator{Target: x, Sink: count, Clock: record.NewClock()}
	ended := make(chan error, 1)
	go func() {
		_, err := g.Run(ctx, workload.Plan{Source: endless, Endless: true, Concurrency: n})
		ended <- err
	}()
	tick := time.NewTicker(d / 20)
	defer tick.Stop()
	var states []state
	for running := true; running; {
		select {
		case <-tick.C:
			states = append(states, look(g))
			fmt.Println(states[len(states)-1])
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		}
	}
	if s := g.Snapshot(); count.taken != s.Finished || s.Finished != s.Sent+s.Dropped || s.InFlight != 0 {
		t.Errorf("%d Records of %d requests sent and %d dropped, %d in flight", count.taken, s.Sent,
			s.Dropped, s.InFlight)
	}
	fmt.Println(count)
	if len(states) < 12 {
		t.Fatalf("only %d looks", len(states))
	}
	early, late := highest(states[2:7]), highest(states[len(states)-6:len(states)-1])
	if late.files > early.files+8 || float64(late.memory) > 1.15*float64(early.memory) ||
		float64(late.goroutines) > 1.5*float64(early.goroutines)+1000 {
		t.Errorf("early %v, late %v: something grows", early, late)
	}
}

// TestEveryRequestHasOneRecord sends WIRE_SOAK_REQUESTS planned requests
// ("1000000") to a server with random faults and expects one Record of each.
func TestEveryRequestHasOneRecord(t *testing.T) {
	n := number(t, "WIRE_SOAK_REQUESTS", 0)
	if n == 0 {
		t.Skip("set WIRE_SOAK_REQUESTS to a number, or use make soak")
	}
	url, stop := serveFaults(t, 0)
	defer stop()
	x := faultyTarget(t, url)
	defer x.Close()
	count := &counting{seen: make([]uint8, n)}
	g := &load.Generator{Target: x, Sink: count, Clock: record.NewClock()}
	began := time.Now()
	out, err := g.Run(t.Context(), workload.Plan{Source: workload.Limit(endless, n), Requests: n, Concurrency: 2000})
	if err != nil || out.Aborted != "" {
		t.Fatalf("%v, %+v", err, out)
	}
	for i, times := range count.seen {
		if times != 1 {
			t.Fatalf("request %d has %d Records", i, times)
		}
	}
	fmt.Printf("%d requests, one Record each, in %.0f s: %v\n", n, time.Since(began).Seconds(), count)
}

// number is that of an environment variable, or another.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// faultyTarget gives requests of a faulty server twenty seconds.
func faultyTarget(t *testing.T, url string) *openai.Target {
	t.Helper()
	x, err := openai.NewTarget(openai.Config{URLs: []string{url}, Models: []string{"m"}, Streaming: true,
		Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func endless(yield func(workload.Request, error) bool) {
	for i := 0; ; i++ {
		if !yield(workload.Request{Index: i, Session: strconv.Itoa(i), Turns: 1, Prompt: workload.Prompt{Text: "x"},
			OutputTokens: 10}, nil) {
			return
		}
	}
}

// counting counts Records, and where there is room for that, those of each
// request. One goroutine at a time hands it Records.
type counting struct {
	taken, failed int64
	classes       map[record.Class]int64
	seen          []uint8
}

func (c *counting) Take(r *record.Record) error {
	c.taken++
	if r.Outcome == record.Failed {
		if c.classes == nil {
			c.classes = map[record.Class]int64{}
		}
		c.failed++
		c.classes[r.Failure.Class]++
	}
	if c.seen != nil {
		c.seen[r.Index]++
	}
	return nil
}

func (c *counting) String() string {
	text := fmt.Sprintf("%d Records, %d of failed requests", c.taken, c.failed)
	for _, class := range slices.Sorted(maps.Keys(c.classes)) {
		text += fmt.Sprintf("; %d %s", c.classes[class], class)
	}
	return text
}

// state is what must not grow.
type state struct {
	finished   int64
	memory     uint64 // bytes of heap and stacks in use
	files      int
	goroutines int
}

func (s state) String() string {
	return fmt.Sprintf("%d requests, %.1f MB, %d files, %d goroutines", s.finished, float64(s.memory)/1e6,
		s.files, s.goroutines)
}

func look(g *load.Generator) state {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return state{g.Snapshot().Finished, uint64(inUse()), len(files), runtime.NumGoroutine()}
}

// highest is the worst of several looks in each respect: a look can fall into
// a burst.
func highest(all []state) (h state) {
	for _, s := range all {
		h.finished = max(h.finished, s.finished)
		h.memory, h.files, h.goroutines = max(h.memory, s.memory), max(h.files, s.files),
			max(h.goroutines, s.goroutines)
	}
	return h
}
