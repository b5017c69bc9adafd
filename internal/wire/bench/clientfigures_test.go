//go:build linux

package bench

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"headway/record"
	"headway/workload"
)

// found is what it prints.
type found struct {
	CPU             float64   `json:"cpu"`    // seconds, of the measurement
	Own             float64   `json:"own"`    // of that, in the process's own code
	Events          int       `json:"events"` // in it
	Span            float64   `json:"span"`   // its seconds
	Errors          []float64 `json:"errors"` // of stamps: p50, p99, p99.9, µs
	Shared          float64   `json:"shared"` // share of arrivals read together with another
	UserspaceStamps float64   `json:"user"`   // share of arrivals stamped in user space
	Memory          float64   `json:"memory"` // bytes a stream beside Records and bodies
	Failed          int       `json:"failed"`
	TTFT            float64   `json:"ttft"`   // median, µs
	Late            []float64 `json:"late"`   // planned to sent: p50, p99, p99.9, max, µs
	Spans           []float64 `json:"spans"`  // of the schedule and of the sends, s
	Spread          float64   `json:"spread"` // of the first sends of a closed loop, µs
	Records         int       `json:"records"`
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
			if a.Coalesced {
				together++
				if i > 0 && !r.Arrivals[i-1].Coalesced {
					together++
				}
			}
			if a.UserspaceStamp {
				user++
			}
		}
	}
	f.Errors = quantiles(off, 0.5, 0.99, 0.999)
	f.Shared, f.UserspaceStamps = float64(together)/float64(max(1, f.Events)), float64(user)/float64(max(1, f.Events))
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
