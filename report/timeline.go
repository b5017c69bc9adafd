package report

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// mostTimelines bounds what is kept of telemetry.jsonl.
const mostTimelines = 4096

// Timeline is one value of a server, a GPU or a host over a run: counters per second,
// everything else as it was.
type Timeline struct {
	Source string // where it was read
	Kind   string // server, gpu, host
	Engine string
	Of     string // the GPU's number; "" for others
	Name   string // the common name (docs/telemetry.md)
	// Rate says that the values are of a counter, per second.
	Rate bool
	// Times are seconds on the run's clock, rising; each value is the mean of the time
	// since the one before it, and Values is as long as Times.
	Times, Values []float64
}

// Timelines are all of a run, with the times at which its measured phase began and
// ended, 0 where the file does not say.
type Timelines struct {
	Origin     time.Time
	Begin, End float64
	All        []Timeline // in the order in which they first occur, names sorted
	// Skipped is how many lines could not be read.
	Skipped int
}

// counters are the names of values that only rise.
var counters = strings.Fields("preemptions prefix_hits prefix_queries prefix_reports prompt_tokens generated_tokens " +
	"requests spec_drafted spec_accepted energy cpu_time cpu_idle network_received network_sent")

// ReadTimelines reads what was sampled in a run (telemetry.jsonl), each value at no
// more than most times: neighbours are averaged as they become more. It reads the
// file once, and holds no more than what it returns. A line that cannot be read is
// skipped and counted; a file without a head is an error.
func ReadTimelines(r io.Reader, most int) (*Timelines, error) {
	in, err := NewTelemetryLines(r)
	if err != nil {
		return nil, err
	}
	t := timelineReader{most: max(2, most), sources: in.Head.Sources, found: map[timelineKey]*drawn{}}
	t.Origin = in.Head.Origin
	for {
		l, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("after %d timelines: %w", len(t.order), err)
		}
		if !t.line(l) {
			t.Skipped++
		}
	}
	t.Skipped += in.Skipped
	for _, d := range t.order {
		if len(d.Times) > 0 {
			t.All = append(t.All, d.Timeline)
		}
	}
	return &t.Timelines, nil
}

// timelineKey is whose value it is.
type timelineKey struct {
	source           int
	engine, of, name string
}

type timelineReader struct {
	Timelines
	most    int
	sources []string
	found   map[timelineKey]*drawn
	order   []*drawn
}

// drawn is a timeline as it grows: each of its points is of so many samples.
type drawn struct {
	Timeline
	each, filled int
	last         float64 // of a counter
	at           float64
	seen         bool
}

// line takes a line; false where not all of it is kept.
func (t *timelineReader) line(l *TelemetryLine) bool {
	switch l.Phase {
	case "begin":
		t.Begin = l.At
	case "end":
		t.End = l.At
	}
	if l.Source == nil {
		return l.Phase != ""
	}
	for _, name := range slices.Sorted(maps.Keys(l.Values)) {
		k := timelineKey{*l.Source, l.Engine, l.Of, name}
		d := t.found[k]
		if d == nil {
			if len(t.order) == mostTimelines {
				return false
			}
			d = &drawn{each: 1, Timeline: Timeline{Source: t.sources[*l.Source], Kind: l.Kind, Engine: l.Engine,
				Of: l.Of, Name: name, Rate: rising(name)}}
			t.found[k], t.order = d, append(t.order, d)
		}
		d.take(l.At, l.Values[name], t.most)
	}
	return true
}

// rising says that a value is of a counter: histograms have a count and a sum.
func rising(name string) bool {
	return slices.Contains(counters, name) || strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_sum")
}

func (d *drawn) take(at, value float64, most int) {
	if d.seen && at <= d.at {
		return
	}
	was, before, seen := d.last, d.at, d.seen
	d.last = value
	d.at = at
	d.seen = true
	if d.Rate {
		if !seen || value < was {
			return // there is no rate before the second sample, nor over a restart
		}
		value = (value - was) / (at - before)
	}
	if n := len(d.Times); n > 0 && d.filled < d.each {
		d.Values[n-1] += (value - d.Values[n-1]) / float64(d.filled+1)
		d.Times[n-1] = at
		d.filled++
		return
	}
	d.Times, d.Values = append(d.Times, at), append(d.Values, value)
	d.filled = 1
	if len(d.Times) > most {
		d.halve()
	}
}

// halve joins points by twos; a last one without a neighbour goes on to fill.
func (d *drawn) halve() {
	n := 0
	for i := 0; i < len(d.Times); i += 2 {
		j := min(i+1, len(d.Times)-1)
		d.Times[n], d.Values[n] = d.Times[j], (d.Values[i]+d.Values[j])/2
		n++
	}
	// The last point has been filled by one sample: halve is called as it is added.
	d.filled = d.each + 1
	if len(d.Times)%2 == 1 {
		d.filled = 1
	}
	d.each *= 2
	d.Times, d.Values = d.Times[:n], d.Values[:n]
}
