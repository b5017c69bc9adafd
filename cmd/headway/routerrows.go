package main

import (
	"headway/workload"
)

// repeatable lists a number of repeats that would all be the same run.
func (f *traceFlags) repeatable(c *contestFlags, bad *faultList) {
	if c.Repeats > 1 && f.identity() && !c.live() {
		bad.add("--repeats %d: the rows of the file are played as they are, so that every repeat would be the same run; --keep-correlation and other options that change the trace draw new rows", c.Repeats)
	}
}

// rows gives the trace of each repeat: drawn anew under a seed of its own, or
// the same where the rows of a file are played as they are. first is that of
// repeat 0.
func (f *traceFlags) rows(a app, seed uint64, first *workload.Dataset) func(repeat int) (*workload.Dataset, error) {
	drawn := map[int]*workload.Dataset{0: first}
	return func(repeat int) (*workload.Dataset, error) {
		if f.identity() {
			return first, nil
		}
		if d := drawn[repeat]; d != nil {
			return d, nil
		}
		d, _, _, err := f.read(a, seed+uint64(repeat))
		drawn[repeat] = d
		return d, err
	}
}
