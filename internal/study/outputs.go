package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"headway/internal/audit"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// outputs is where finished Records go: the metrics, and files that are
// written while the run goes and get their names when it ended. A crash leaves
// the files of the run before, and the Records that this one had in
// records.jsonl.partial.
type outputs struct {
	collector *metric.Collector
	sinks     []record.Sink
	dir       string
	names     report.Names

	records     *report.File
	recordLines *record.Writer
	exports     []*export
	inputs      *report.Inputs
	inputsFile  *report.File
	schedule    *report.File // already written; nil where the plan has no end
	audit       *audit.Watch // nil makes none

	seen   []bool // the measured requests that have a Record, by index
	failed func() // called when a Record could not be kept
}

// open begins the files, but for the schedule, which it takes over.
func (m Measurement) open(schedule *report.File) (_ *outputs, err error) {
	o := &outputs{collector: metric.NewCollector(m.Metrics), dir: m.Dir, names: m.Names, schedule: schedule, failed: func() {}}
	defer func() {
		if err != nil {
			o.abort()
		}
	}()
	if err = report.ClearTemporary(m.Dir); err != nil {
		return nil, err
	}
	if o.records, err = report.CreatePartial(filepath.Join(m.Dir, m.Names.Records)); err != nil {
		return nil, err
	}
	if o.recordLines, err = record.NewWriter(o.records, m.Header); err != nil {
		return nil, err
	}
	o.sinks = []record.Sink{o.collector, m.Secrets.Sink(o.recordLines)}
	if m.Audit != nil {
		o.audit = audit.New(*m.Audit)
		o.sinks = append(o.sinks, o.audit)
	}
	if err = o.openExports(m); err != nil {
		return nil, err
	}
	if m.Body != nil {
		if o.inputsFile, err = report.Create(filepath.Join(m.Dir, m.Names.Inputs)); err != nil {
			return nil, err
		}
		o.inputs = report.NewInputs(o.inputsFile, m.Secrets)
	}
	return o, nil
}

// Take hands a Record to every output, even when one of them fails.
func (o *outputs) Take(r *record.Record) error {
	if !r.Warmup {
		for len(o.seen) <= r.Index {
			o.seen = append(o.seen, false)
		}
		o.seen[r.Index] = true
	}
	var errs []error
	for _, s := range o.sinks {
		errs = append(errs, s.Take(r))
	}
	err := errors.Join(errs...)
	if err != nil {
		o.failed()
	}
	return err
}

// dropRest makes the Records of planned requests that have none: the run ended
// in its warm-up, or with a fault that kept requests from being made.
func (o *outputs) dropRest(p workload.Plan) error {
	if p.Endless || len(o.seen) >= p.Requests && !slices.Contains(o.seen, false) {
		return nil
	}
	var errs []error
	for r, err := range p.Source {
		if err != nil {
			return distinct(append(errs, err)...)
		}
		if r.Index >= len(o.seen) || !o.seen[r.Index] {
			if err := o.Take(load.Dropped(r, 0)); err != nil && errs == nil {
				errs = append(errs, err)
			}
		}
	}
	return distinct(errs...)
}

// tee notes the body of every request of the measurement on its way to the
// load. Bodies are those of single turns: what the model answers before a
// later turn is not known yet.
func (o *outputs) tee(src workload.Source, body func(workload.Request) (json.RawMessage, error)) workload.Source {
	if o.inputs == nil {
		return src
	}
	return func(yield func(workload.Request, error) bool) {
		session, bodies := "", []json.RawMessage(nil)
		for r, err := range src {
			if err == nil && r.Session != session {
				err = o.inputsOf(session, bodies)
				session, bodies = r.Session, nil
			}
			// Without text it is only being counted as dropped.
			if err == nil && r.Prompt.Tokens == 0 {
				var b json.RawMessage
				b, err = body(r)
				bodies = append(bodies, b)
			}
			if !yield(r, err) {
				return
			}
		}
		if err := o.inputsOf(session, bodies); err != nil {
			yield(workload.Request{}, err)
		}
	}
}

func (o *outputs) inputsOf(session string, bodies []json.RawMessage) error {
	if len(bodies) == 0 {
		return nil
	}
	return o.inputs.Add(session, bodies)
}

// finish writes what is known only at the end and gives every file its name.
// It tries all of them: a fault with one must not lose another. The records
// come after the files that can fail for their size, so that they say so, and
// the report last: where it lies, everything else does.
func (o *outputs) finish(rep *report.Report) error {
	var errs []error
	closeFile := func(f *report.File, err error) bool {
		if err == nil {
			err = f.Commit()
		} else {
			f.Leave()
		}
		if err != nil {
			errs = append(errs, err)
			if rep.Run.Aborted == "" {
				rep.Run.Aborted = "a file could not be written: " + err.Error()
			}
		}
		return err == nil
	}
	keep := map[string]bool{o.names.JSON: true, o.names.CSV: true, o.names.Console: true}
	if o.schedule != nil {
		keep[scheduleName] = closeFile(o.schedule, nil)
	}
	for _, e := range o.exports {
		err := error(nil)
		if e.silent && e.said {
			err = errors.Join(o.recordLines.Flush(), e.again(o.dir, o.records.Name()))
		}
		keep[e.name] = closeFile(e.file, errors.Join(err, e.end()))
	}
	if o.inputsFile != nil {
		keep[o.names.Inputs] = closeFile(o.inputsFile, o.inputs.Close())
	}
	if keep[o.names.Records] = closeFile(o.records, o.recordLines.Close(rep.Run.Trailer)); !keep[o.names.Records] {
		errs = append(errs, fmt.Errorf("what was measured until then is in %s", o.records.Name()))
	}
	if err := rep.WriteFiles(o.dir, o.names); err != nil {
		return distinct(append(errs, err)...)
	}
	return distinct(append(errs, o.clear(keep, rep.Complete()))...)
}

// clear removes what an earlier run left and this one did not write, and, when
// this one is complete, what killed ones left.
func (o *outputs) clear(keep map[string]bool, complete bool) error {
	var errs []error
	for _, name := range known(o.names) {
		// inputs.json is also what a run can be made of: one that this run
		// was not to write is left alone.
		if !keep[name] && (name != o.names.Inputs || o.inputsFile != nil) {
			errs = append(errs, remove(filepath.Join(o.dir, name)))
		}
	}
	if complete {
		for _, name := range []string{o.names.Records, scheduleName} {
			errs = append(errs, report.ClearPartial(filepath.Join(o.dir, name)))
		}
	}
	return distinct(errs...)
}

// known are the files of a run.
func known(n report.Names) []string {
	return []string{n.JSON, n.CSV, n.JSONL, n.JSONL + report.Zst, n.Console, n.Inputs, n.Records, n.Table, scheduleName}
}

// remove removes a file or a folder that may be missing.
func remove(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("removing an earlier run: %w", err)
	}
	return nil
}

func (o *outputs) abort() {
	for _, f := range []*report.File{o.schedule, o.records, o.inputsFile} {
		if f != nil {
			f.Abort()
		}
	}
	for _, e := range o.exports {
		e.file.Abort()
	}
}

// Reread makes the report of a run again from its records; nil where the run
// had not ended or lost lines.
func Reread(path string, o metric.Options, secrets report.Redactor) (*report.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in, err := record.NewReader(f, path)
	if err != nil {
		return nil, err
	}
	o.Clock = record.ClockAt(in.Header().Origin)
	c := metric.NewCollector(o)
	for {
		r, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := c.Take(r); err != nil {
			return nil, err
		}
	}
	trailer, complete := in.Trailer()
	if skipped, _ := in.Skipped(); !complete || skipped > 0 {
		return nil, nil
	}
	return &report.Report{Run: record.Run{Header: in.Header(), Trailer: trailer}, Result: c.Result(), Secrets: secrets}, nil
}
