package study

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// outputs is where finished Records go: the metrics, and files that are
// written while the run goes and get their names when it ended. A crash leaves
// the files of the run before, and what this one had under a temporary name.
type outputs struct {
	collector *metric.Collector
	sinks     []record.Sink
	dir       string
	names     report.Names

	records     *report.File
	recordLines *record.Writer
	export      *report.File
	exportLines *report.Lines
	inputs      *report.Inputs
	inputsFile  *report.File
}

func (m Measurement) open() (_ *outputs, err error) {
	o := &outputs{collector: metric.NewCollector(m.Metrics), dir: m.Dir, names: m.Names}
	defer func() {
		if err != nil {
			o.abort()
		}
	}()
	if o.records, err = report.Create(filepath.Join(m.Dir, m.Names.Records)); err != nil {
		return nil, err
	}
	if o.recordLines, err = record.NewWriter(o.records, m.Header); err != nil {
		return nil, err
	}
	o.sinks = []record.Sink{o.collector, m.Secrets.Sink(o.recordLines)}
	if m.Lines {
		if o.export, err = report.Create(filepath.Join(m.Dir, m.Names.JSONL)); err != nil {
			return nil, err
		}
		o.exportLines = report.NewLines(o.export, report.LineOptions{Clock: m.Metrics.Clock, Metrics: m.Metrics, Trace: m.HTTPTrace, Secrets: m.Secrets})
		o.sinks = append(o.sinks, o.exportLines)
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
	var errs []error
	for _, s := range o.sinks {
		errs = append(errs, s.Take(r))
	}
	return errors.Join(errs...)
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
// It tries all of them: a fault with one must not lose another.
func (o *outputs) finish(rep *report.Report) error {
	var errs []error
	closeFile := func(f *report.File, err error) {
		if err != nil {
			f.Abort()
			errs = append(errs, err)
			return
		}
		errs = append(errs, f.Commit())
	}
	closeFile(o.records, o.recordLines.Close(rep.Run.Trailer))
	if o.export != nil {
		closeFile(o.export, o.exportLines.Flush())
	}
	if o.inputsFile != nil {
		closeFile(o.inputsFile, o.inputs.Close())
	}
	return errors.Join(append(errs, rep.WriteFiles(o.dir, o.names))...)
}

func (o *outputs) abort() {
	for _, f := range []*report.File{o.records, o.export, o.inputsFile} {
		if f != nil {
			f.Abort()
		}
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
