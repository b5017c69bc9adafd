package openai

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"headway/internal/wire"
	"headway/record"
)

// Nothing that one hostile reply does takes more than this: the bounds of a
// reply of 16 tokens, with room for the garbage that the collector has not seen.
const (
	hostileMemory = 96 << 20
	hostileTime   = 30 * time.Second
)

// TestHostile runs every scenario on both transports: each is the failure that it
// should be, and the Records are the same. With HOSTILE=1 (make hostile) it prints a
// table with peak memory and time, and holds both against their bounds; without it
// they are not measured, since other tests share the memory and the processor.
func TestHostile(t *testing.T) {
	leaks(t)
	m := hostileTable{show: os.Getenv("HOSTILE") != ""}
	table := tabwriter.NewWriter(&m.out, 0, 0, 2, ' ', 0)
	m.table = table
	fmt.Fprintln(table, "scenario\ttransport\toutcome\tevents\treceived\tpeak memory\ttime")
	for _, s := range allScenarios() {
		t.Run(s.name, func(t *testing.T) { s.overBoth(t, &m) })
	}
	table.Flush()
	if m.show {
		t.Log("\n" + m.out.String())
	}
}

// hostileTable is what was measured, if it is asked for.
type hostileTable struct {
	show  bool
	table io.Writer
	out   strings.Builder
}

// overBoth runs a scenario on both transports, or on the one that there is.
func (s hostile) overBoth(t *testing.T, m *hostileTable) {
	made := map[string]*record.Record{}
	for _, via := range []string{TransportStd, TransportEpoll} {
		if via == TransportEpoll && !wire.HasPool {
			return
		}
		r, peak, took := s.run(t, via, m.show)
		made[via] = r
		if s.judged {
			s.judge(t, r)
		}
		outcome := "ok"
		if r.Failure != nil {
			outcome = string(r.Failure.Class)
		}
		fmt.Fprintf(m.table, "%s\t%s\t%s\t%d\t%.1f MiB\t%.1f MiB\t%v\n", s.name, via, outcome, len(r.Arrivals),
			float64(r.HTTP.BytesReceived)/(1<<20), float64(peak)/(1<<20), took.Round(time.Millisecond))
		if m.show && (peak > hostileMemory || took > hostileTime) {
			t.Errorf("over %s: %d bytes at most, %v", via, peak, took)
		}
	}
	s.compare(t, made[TransportStd], made[TransportEpoll])
}

// hostile is a scenario, whether a whole reply is asked for and no stream, and
// whether what becomes of it is said; of the others their own tests say it.
type hostile struct {
	scenario
	whole, judged bool
}

// allScenarios are those of all tables: what servers do over time, replies that
// fail, that are odd, and the ways in which replies end.
func allScenarios() []hostile {
	var all []hostile
	for _, s := range scenarios() {
		all = append(all, hostile{scenario: s, judged: true})
	}
	add := func(name, reply string, whole bool) {
		all = append(all, hostile{scenario: scenario{name: name, server: script(reply)}, whole: whole})
	}
	for _, r := range failingReplies() {
		add(r.name, r.reply, !r.streaming)
	}
	for _, r := range oddReplies() {
		add(r.name, r.reply, false)
	}
	for _, r := range endedReplies() {
		add("ends: "+r.name, r.reply, !r.streaming)
	}
	return all
}

// run is one request to the scenario's server, the growth of the heap during it if
// that is watched, and how long it took.
func (s hostile) run(t *testing.T, via string, watched bool) (r *record.Record, peak uint64, took time.Duration) {
	timeout := time.Minute
	if s.class == record.ClassTimeout {
		timeout = 500 * time.Millisecond
	}
	target := newTestTarget(t, Config{Transport: via, URLs: []string{rawServer(t, s.server)}, Streaming: !s.whole,
		APIKey: hostileSecret, Timeout: timeout})
	asked := say("x")
	asked.OutputTokens = 16
	stop := func() uint64 { return 0 }
	if watched {
		stop = peakHeap()
	}
	began := time.Now()
	r = ask(t.Context(), target, asked)
	took = time.Since(began)
	peak = stop()
	if held := target.memory.Held(); held != 0 {
		t.Errorf("%d bytes are still in the account", held)
	}
	return r, peak, took
}

// peakHeap watches the heap until stop, which returns by how much it grew.
func peakHeap() (stop func() uint64) {
	debug.FreeOSMemory()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	first, most := heap[0].Value.Uint64(), heap[0].Value.Uint64()
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			metrics.Read(heap)
			most = max(most, heap[0].Value.Uint64())
			select {
			case <-ended:
				return
			default:
				runtime.Gosched()
			}
		}
	})
	return func() uint64 {
		close(ended)
		watching.Wait()
		return most - first
	}
}

// compare finds what the two transports do not agree on: how many bytes were
// read before the end is the reads' own, and times differ.
func (s hostile) compare(t *testing.T, std, epoll *record.Record) {
	same := func(r *record.Record) string {
		f := record.Failure{}
		if r.Failure != nil {
			f = *r.Failure
		}
		if strings.HasPrefix(f.Message, "the reply's head is not HTTP/1.1: ") {
			f.Message = "the reply's head is not HTTP/1.1"
		}
		return fmt.Sprintf("%v %+v; %d events, content %d %.40s, finish %q, unknown %d, skipped %d, streamed %v, "+
			"status %d, usage %v", r.Outcome, f,
			len(r.Arrivals), len(r.Text.Content), r.Text.Content, r.Finish, r.Unknown, r.Skipped, r.Streamed,
			r.HTTP.Status, r.Usage)
	}
	if a, b := same(std), same(epoll); a != b {
		t.Errorf("std   %s\nepoll %s", a, b)
	}
}
