package router

import (
	"bytes"
	"fmt"
	"strings"

	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/plain"
	"headway/record"
	"headway/workload"
	"headway/workload/synth"
)

// presetRequests is how many rows of a preset are played.
const presetRequests = 1000

// presetMaxISL is the longest prompt (tokens) that is drawn from a model where
// nothing is said: with its reply it stays below the usual longest sequence.
const presetMaxISL = 120_000

// played is a trace that is played, its speed-up not applied: as it was recorded,
// or drawn for each repeat with a seed of its own.
type played struct {
	options  options.Trace
	seed     uint64
	name     func(fault.Field) string // what options are called in notes
	first    *workload.Dataset        // of repeat 0
	drawn    map[int]*workload.Dataset
	notes    []string
	warnings []record.Warning
}

// read gives the trace to be played, and what is to be said of it.
func read(o options.Trace, seed uint64, name func(fault.Field) string) (*played, error) {
	p := &played{options: o, seed: seed, name: name}
	var err error
	if p.first, err = p.make(seed); err != nil {
		return nil, err
	}
	p.drawn = map[int]*workload.Dataset{0: p.first}
	return p, nil
}

// rows is the trace of a repeat.
func (p *played) rows(repeat int) (*workload.Dataset, error) {
	if p.options.Recorded() {
		return p.first, nil
	}
	if d := p.drawn[repeat]; d != nil {
		return d, nil
	}
	d, err := (&played{options: p.options}).make(p.seed + uint64(repeat))
	if err == nil {
		p.drawn[repeat] = d
	}
	return d, err
}

// make reads or draws the rows.
func (p *played) make(seed uint64) (d *workload.Dataset, err error) {
	in := workload.ReadOptions{Lenient: p.options.Lenient, BlockSize: p.options.BlockSize}
	if p.options.Recorded() {
		d, err = p.recorded(in)
	} else {
		d, err = p.draw(seed, in)
	}
	if err != nil {
		return nil, err
	}
	if len(d.Requests) == 0 {
		return nil, fmt.Errorf("no requests in %s", p.options.Dataset)
	}
	return d, p.spread(d, seed)
}

// spread moves requests that share a timestamp, where that is asked for.
func (p *played) spread(d *workload.Dataset, seed uint64) error {
	spread, err := workload.ParseSpread(p.options.Spread)
	if err != nil {
		return err
	}
	if w := d.Rounded().Warning(); w != "" && spread == workload.AsRecorded {
		p.warnings = append(p.warnings, record.Warning{Code: "rounded_timestamps", Text: w})
	}
	d.Spread(spread, workload.Seed(seed).Named("router trace").Named("spread"))
	if spread != workload.AsRecorded {
		p.notes = append(p.notes, "requests that share a timestamp were spread up to the next one: "+p.options.Spread)
	}
	return nil
}

// recorded reads the rows of the file, as far as they are inside the bounds.
func (p *played) recorded(in workload.ReadOptions) (*workload.Dataset, error) {
	o, b := p.options, p.options.Bounds()
	if b == (workload.Bounds{}) {
		in.Limit = o.Requests
	}
	all, err := workload.ReadFile(o.Dataset, in)
	if err != nil {
		return nil, err
	}
	p.warnings = append(p.warnings, fileWarnings(all)...)
	d := all
	note := plain.HowMany(len(d.Requests), "row of the trace as it is", "rows of the trace as they are")
	if b != (workload.Bounds{}) {
		if d, err = all.Within(b, o.Requests); err != nil {
			return nil, err
		}
		note = fmt.Sprintf("%s of the trace, which has %d: %s", plain.HowMany(len(d.Requests), "row", "rows"),
			len(all.Requests), boundsText(b))
	}
	if o.Requests > len(d.Requests) {
		return nil, tooFew(o, len(d.Requests))
	}
	p.notes = append(p.notes, note)
	return d, nil
}

// boundsText says what the bounds did to the rows.
func boundsText(b workload.Bounds) string {
	var parts []string
	if b.OSLFactor > 0 {
		parts = append(parts, fmt.Sprintf("outputs multiplied by %g", b.OSLFactor))
	}
	for _, b := range []struct {
		value int
		text  string
	}{
		{b.MinISL, "inputs below %d tokens left out"}, {b.MaxISL, "inputs above %d tokens left out"},
		{b.MinOSL, "outputs raised to at least %d tokens"}, {b.MaxOSL, "outputs cut to at most %d tokens"},
	} {
		if b.value > 0 {
			parts = append(parts, fmt.Sprintf(b.text, b.value))
		}
	}
	return strings.Join(parts, ", ")
}

// draw makes new rows.
func (p *played) draw(seed uint64, in workload.ReadOptions) (*workload.Dataset, error) {
	m, n, err := p.model()
	if err != nil {
		return nil, err
	}
	o, err := p.options.Options(n, seed)
	if err != nil {
		return nil, err
	}
	o.Speedup = 1
	p.notes = append(p.notes, fmt.Sprintf("%s drawn from %s", plain.HowMany(n, "row", "rows"),
		p.options.Dataset+p.options.Model+p.options.Preset))
	if p.options.Chosen() && o.MaxISL == 0 && o.MinISL < presetMaxISL {
		o.MaxISL = presetMaxISL
		p.notes = append(p.notes, fault.Text(p.name,
			"prompts of more than %d tokens were left out; %s sets another limit",
			presetMaxISL, fault.Field("max-isl")))
	}
	p.notes = append(p.notes, "not kept of the trace: "+strings.Join(m.Lost(o), "; "))
	var rows bytes.Buffer
	if _, err := synth.Write(&rows, m.Draw(o)); err != nil {
		return nil, err
	}
	in.Format, in.BlockSize = workload.Mooncake, m.BlockSize
	return workload.Read(&rows, "the drawn trace", in)
}

// model is what rows are drawn from, and how many.
func (p *played) model() (m *synth.Model, rows int, err error) {
	o := p.options
	rows = o.Requests
	if o.Chosen() {
		if rows == 0 {
			rows = presetRequests
		}
		m, err = o.Read()
		return m, rows, err
	}
	t, err := synth.ReadRows(o.Dataset, workload.TraceOptions{BlockSize: o.BlockSize, Lenient: o.Lenient})
	if err != nil {
		return nil, 0, err
	}
	p.warnings = append(p.warnings, skipped(t.Name, t.Skipped, t.FirstSkip)...)
	if rows == 0 {
		rows = len(t.Rows)
	}
	m, err = synth.Fit(t.Rows, t.BlockSize, synth.Limits{})
	return m, rows, err
}
