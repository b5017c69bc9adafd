package router

import (
	"fmt"
	"math"
	"strings"
	"time"

	"headway/internal/options"
	"headway/internal/plain"
	"headway/internal/study"
	"headway/record"
	"headway/workload"
)

// Load is what is put on every variant.
type Load struct {
	Name string  // also that of its folder
	X    float64 // where it stands on the axis of all
	// Plan makes the load of a repeat, counted from 0. The key names its
	// randomness and its text.
	Plan func(key workload.Key, repeat int) (workload.Plan, error)
	// Concurrency is that of a closed loop, Rate (requests per second) that of a
	// schedule; Arrivals is their law, for the header.
	Concurrency int
	Rate        float64
	Arrivals    string
}

// Benchmark is the loads that are compared, and what is to be said of them.
type Benchmark struct {
	Name  string
	Loads []Load
	// Axis names what differs between the loads; "" where that is nothing.
	Axis string
	// Speedup divides simulated times; 0 is 1.
	Speedup float64
	// Fixed says that a load is the same in every repeat, Talks that there are
	// sessions of several turns.
	Fixed, Talks bool
	// Tiers are those of priorities, nil where there are none.
	Tiers *study.Tiers
	// Files are what the loads were read from.
	Files []string
	// Notes are whole sentences; Warnings are of every run.
	Notes    []string
	Warnings []record.Warning
}

const closedLoop, schedule = "concurrency_burst", "fixed_schedule"

// PrefixRatio is Dynamo's prefix ratio benchmark.
func PrefixRatio(o options.PrefixRatio, speedup float64) Benchmark {
	b := Benchmark{Name: "prefix-ratio", Axis: "prefix_ratio", Speedup: speedup}
	for _, r := range o.Ratios {
		b.Loads = append(b.Loads, ratioLoad(o, r))
	}
	b.Notes = []string{fmt.Sprintf("%s of %d+%d tokens at concurrency %d; "+
		"a share of the input is one of %s, the rest is each request's own",
		plain.HowMany(o.Requests, "request", "requests"), o.ISL, o.OSL, o.Concurrency,
		plain.HowMany(o.Prefixes, "prefix", "prefixes"))}
	return b
}

// ratioLoad is that of a ratio: the prefix has ratio·ISL tokens, and at least one
// token is the request's own, since a prompt cannot be all prefix.
func ratioLoad(o options.PrefixRatio, ratio float64) Load {
	prefix := min(int(math.Round(ratio*float64(o.ISL))), o.ISL-1)
	l := Load{Name: "ratio_" + slug(ratio), X: ratio, Concurrency: o.Concurrency, Arrivals: closedLoop}
	l.Plan = func(key workload.Key, _ int) (workload.Plan, error) {
		s := workload.Synthetic{Key: key, Requests: o.Requests,
			ISL: workload.Length{Mean: float64(o.ISL - prefix)}, OSL: workload.Length{Mean: float64(o.OSL)}}
		if prefix > 0 {
			s.PrefixPool, s.PrefixTokens = o.Prefixes, prefix
		}
		if err := s.Validate(); err != nil {
			return workload.Plan{}, err
		}
		return workload.Plan{Source: s.Source(), Concurrency: o.Concurrency}, nil
	}
	return l
}

// sessionOSL is the output length of turns that have none.
const sessionOSL = 256

// Sessions is Dynamo's agent benchmark: conversations in a closed loop.
func Sessions(o options.Conversations, speedup float64) (Benchmark, error) {
	d, err := workload.ReadFile(o.Dataset, workload.ReadOptions{
		Lenient: o.Lenient, BlockSize: o.BlockSize, AllTurns: true,
	})
	if err != nil {
		return Benchmark{}, err
	}
	l := Load{Name: fmt.Sprintf("c%d", o.Concurrency), Concurrency: o.Concurrency, Arrivals: closedLoop}
	l.Plan = func(key workload.Key, _ int) (workload.Plan, error) { return sessionPlan(o, d, key), nil }
	b := Benchmark{Name: "sessions", Loads: []Load{l}, Files: []string{o.Dataset}, Speedup: speedup,
		Talks: d.Sessions < len(d.Requests)}
	b.Notes, b.Warnings = sessionNotes(o, d)
	return b, nil
}

// sessionPlan plays the sessions in a closed loop.
func sessionPlan(o options.Conversations, d *workload.Dataset, key workload.Key) workload.Plan {
	src := workload.Untimed(d.Source(key))
	if o.Requests > 0 {
		src = workload.Limit(src, o.Requests)
	}
	osl := o.OSL
	if osl == 0 {
		osl = sessionOSL
	}
	src = workload.WithOutput(src, key.Named("output"), workload.Length{Mean: float64(osl)})
	if o.Delay != nil {
		src = delayed(src, time.Duration(*o.Delay))
	}
	return workload.Plan{Source: src, Concurrency: o.Concurrency}
}

// delayed gives later turns a pause of their own.
func delayed(src workload.Source, d time.Duration) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if r.Turn > 0 {
				r.Delay = d
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// sessionNotes say what the conversations are and what stands in their history.
func sessionNotes(o options.Conversations, d *workload.Dataset) ([]string, []record.Warning) {
	notes := []string{fmt.Sprintf("%s with %s, %d at a time", plain.HowMany(d.Sessions, "session", "sessions"),
		plain.HowMany(len(d.Requests), "turn", "turns"), o.Concurrency)}
	if d.LiveTurns > 0 {
		notes = append(notes, plain.HowMany(d.LiveTurns,
			"turn has the replies of this run in its history", "turns have the replies of this run in their history"))
	}
	if d.RecordedTurns > 0 {
		notes = append(notes, plain.HowMany(d.RecordedTurns,
			"turn has the recorded conversation in its history",
			"turns have the recorded conversation in their history"))
	}
	warnings := fileWarnings(d)
	if d.Sessions == len(d.Requests) {
		warnings = append(warnings, record.Warning{Code: "no_sessions", Text: d.Name +
			" has no session of more than one turn, so nothing follows upon anything"})
	}
	return notes, warnings
}

// fileWarnings are what a reader of the result must know of the file's rows.
func fileWarnings(d *workload.Dataset) []record.Warning {
	list := skipped(d.Name, d.Skipped, d.FirstSkip)
	if text := d.UnknownFields(); text != "" {
		list = append(list, record.Warning{Code: "unknown_fields", Text: text})
	}
	return list
}

// skipped warns of lines that could not be read.
func skipped(name string, n int, first error) []record.Warning {
	if n == 0 {
		return nil
	}
	return []record.Warning{{Code: "lines_skipped", Text: fmt.Sprintf("%s: %s skipped, the first for this: %v",
		name, plain.HowMany(n, "line was", "lines were"), first)}}
}

// slug is a number as part of a folder's name.
func slug(x float64) string { return strings.ReplaceAll(fmt.Sprintf("%g", x), ".", "_") }
