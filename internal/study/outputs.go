package study

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"

	"headway/internal/audit"
	"headway/internal/bound"
	"headway/internal/tail"
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
	tail      tail.Evidence
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
	telemetry   *report.File // nil where nothing is sampled
	sampledToo  bool         // as Parquet, too
	unsampled   error        // why not all that was sampled is in that file

	told    Telling  // others of the run; nil tells nobody
	llmd    bool     // the Benchmark Report of llm-d is written
	earlier *Earlier // what is there; nil is nothing
	seen    []bool   // the measured requests that have a Record, by index
	failed  func()   // called when a Record could not be kept
}

// open begins the files, but for the schedule, which it takes over.
func (m Measurement) open(schedule *report.File) (_ *outputs, err error) {
	o := &outputs{collector: metric.NewCollector(m.Metrics), dir: m.Dir, names: m.Names, schedule: schedule,
		earlier: m.Earlier, sampledToo: m.Table, llmd: m.Others.LLMD, failed: func() {}}
	defer func() {
		if err != nil {
			o.abort()
		}
	}()
	o.sinks = []record.Sink{o.collector, &o.tail}
	if m.Dir != "" {
		if err = o.openFiles(m); err != nil {
			return nil, err
		}
	}
	if m.Audit != nil {
		o.audit = audit.New(*m.Audit)
		o.sinks = append(o.sinks, o.audit)
	}
	if m.Also != nil {
		o.sinks = append(o.sinks, m.Also)
	}
	if e := m.Others.Exporter; e != nil {
		o.told = e.Begin(m.Header, m.Metrics.Tokens, m.At)
		o.sinks = append(o.sinks, o.told)
	}
	return o, nil
}

// openFiles begins what is written to the folder.
func (o *outputs) openFiles(m Measurement) (err error) {
	if err = report.ClearTemporary(m.Dir); err != nil {
		return err
	}
	if o.records, err = report.CreatePartial(filepath.Join(m.Dir, m.Names.Records)); err != nil {
		return err
	}
	if o.recordLines, err = record.NewWriter(o.records, m.Header); err != nil {
		return err
	}
	o.sinks = append(o.sinks, m.Secrets.Sink(o.recordLines))
	if err = o.openExports(m); err != nil {
		return err
	}
	if m.Body != nil {
		if o.inputsFile, err = report.Create(filepath.Join(m.Dir, m.Names.Inputs)); err != nil {
			return err
		}
		o.inputs = report.NewInputs(o.inputsFile, m.Secrets)
	}
	return nil
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
	errs = append(errs, o.earlier.answered(r, o.mine))
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

// Reread makes the report of a run again from its records; nil where the run
// had not ended or lost lines.
func Reread(path string, o metric.Options, secrets report.Redactor) (*report.Report, error) {
	f, err := bound.Open(path)
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
	var slow tail.Evidence
	for {
		r, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := errors.Join(c.Take(r), slow.Take(r)); err != nil {
			return nil, err
		}
	}
	trailer, complete := in.Trailer()
	if skipped, _ := in.Skipped(); !complete || skipped > 0 {
		return nil, nil
	}
	result := c.Result()
	result.Tail = tailOf(&slow, trailer)
	return &report.Report{Run: record.Run{Header: in.Header(), Trailer: trailer}, Result: result,
		Secrets: secrets}, nil
}
