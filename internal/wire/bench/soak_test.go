//go:build linux

package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"headway/internal/openai"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// TestSoak keeps many streams going for WIRE_SOAK ("10m") and fails when
// memory, files or goroutines grow, or when a request has no Record.
// WIRE_SOAK_STREAMS is how many, 10,000 unless it says so.
func TestSoak(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv("WIRE_SOAK"))
	if err != nil || d <= 0 {
		t.Skip("set WIRE_SOAK to a duration, or use make soak")
	}
	n := 10000
	if s := os.Getenv("WIRE_SOAK_STREAMS"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatal(err)
		}
	}
	b := &rig{T: t, size: size{streams: n}, server: compile(t, "server")}
	port, stop := b.serve("replies", "1000000") // each stream waits a second
	defer stop()
	x, err := openai.NewTarget(openai.Config{URLs: []string{"http://127.0.0.1:" + port}, Models: []string{"m"}, Streaming: true, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
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
	if s := g.Snapshot(); count.taken.Load() != s.Finished || s.Finished != s.Sent+s.Dropped || s.InFlight != 0 {
		t.Errorf("%d Records of %d requests sent and %d dropped, %d in flight", count.taken.Load(), s.Sent, s.Dropped, s.InFlight)
	}
	if count.failed.Load() > 0 {
		t.Errorf("%d requests failed", count.failed.Load())
	}
	if len(states) < 12 {
		t.Fatalf("only %d looks", len(states))
	}
	early, late := highest(states[2:7]), highest(states[len(states)-6:len(states)-1])
	if late.files > early.files+8 || float64(late.memory) > 1.15*float64(early.memory) || float64(late.goroutines) > 1.5*float64(early.goroutines)+1000 {
		t.Errorf("early %v, late %v: something grows", early, late)
	}
}

func endless(yield func(workload.Request, error) bool) {
	for i := 0; ; i++ {
		if !yield(workload.Request{Index: i, Session: fmt.Sprint(i), Turns: 1, Prompt: workload.Prompt{Text: "x"}, OutputTokens: 1}, nil) {
			return
		}
	}
}

type counting struct{ taken, failed atomic.Int64 }

func (c *counting) Take(r *record.Record) error {
	c.taken.Add(1)
	if r.Outcome == record.Failed {
		c.failed.Add(1)
	}
	return nil
}

// state is what must not grow.
type state struct {
	finished   int64
	memory     uint64 // bytes of heap and stacks in use
	files      int
	goroutines int
}

func (s state) String() string {
	return fmt.Sprintf("%d requests, %.1f MB, %d files, %d goroutines", s.finished, float64(s.memory)/1e6, s.files, s.goroutines)
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
		h.memory, h.files, h.goroutines = max(h.memory, s.memory), max(h.files, s.files), max(h.goroutines, s.goroutines)
	}
	return h
}
