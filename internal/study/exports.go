package study

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"headway/internal/bound"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/parquet"
)

// export is a file with something of every request that is written for
// others and that headway itself does not read.
type export struct {
	name  string
	begin func(io.Writer) (sink record.Sink, end func() error, err error)
	file  *report.File
	sink  record.Sink
	// end writes what is still to be written.
	end func() error
	// auto says that the server's counts of tokens are taken while all replies
	// have them; silent that one had none, said that one before it had.
	auto, silent, said bool
}

// Take writes a Record. Where whose tokens count is found at the end, lines are
// written of the server's as long as that may be so: it is seldom otherwise, and
// the file is then made again.
func (e *export) Take(r *record.Record) error {
	if !e.auto || e.silent {
		return e.sink.Take(r)
	}
	counted, ok := metric.AsServerCounted(r)
	if !ok {
		e.silent = true
		return e.sink.Take(r)
	}
	e.said = e.said || counted != r
	return e.sink.Take(counted)
}

// again writes the export anew, of the Records as this side counted them, which
// lie in the file records.
func (e *export) again(dir, records string) error {
	e.file.Abort()
	f, err := report.Create(filepath.Join(dir, e.name))
	if err != nil {
		return err
	}
	e.file = f
	sink, end, err := e.begin(f)
	if err != nil {
		return err
	}
	e.sink, e.end = sink, end
	in, err := bound.Open(records)
	if err != nil {
		return fmt.Errorf("reading the records again: %w", err)
	}
	defer in.Close()
	lines, err := record.NewReader(in, records)
	if err != nil {
		return err
	}
	for {
		r, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = sink.Take(r)
		}
		if err != nil {
			return err
		}
	}
}

// exported are the names of the exports of a measurement that are made of its Records.
func (m Measurement) exported() []string {
	var names []string
	if m.Lines {
		names = append(names, m.linesName())
	}
	if m.Table {
		names = append(names, m.Names.Table)
	}
	if m.Raw {
		names = append(names, m.Names.Raw)
	}
	return names
}

func (m Measurement) linesName() string {
	if m.Compress {
		return m.Names.JSONL + report.Zst
	}
	return m.Names.JSONL
}

// openExports begins the exports.
func (o *outputs) openExports(m Measurement) error {
	options := report.LineOptions{Clock: m.Metrics.Clock, Metrics: m.Metrics, Trace: m.HTTPTrace, Secrets: m.Secrets}
	if m.Lines {
		err := o.export(m, m.linesName(), func(w io.Writer) (record.Sink, func() error, error) {
			return lines(w, options, m.Compress)
		})
		if err != nil {
			return err
		}
	}
	if m.Raw {
		if err := o.exportRaw(m, options); err != nil {
			return err
		}
	}
	if !m.Table {
		return nil
	}
	return o.export(m, m.Names.Table, func(w io.Writer) (record.Sink, func() error, error) {
		t := parquet.NewTable(w, options)
		return t, t.Close, nil
	})
}

// exportRaw begins the file of what went over the wire. It has no counts, so that
// it never has to be made again, which no file of Records could do.
func (o *outputs) exportRaw(m Measurement, options report.LineOptions) error {
	m.Metrics.Tokens = metric.TokensClient
	return o.export(m, m.Names.Raw, func(w io.Writer) (record.Sink, func() error, error) {
		l := report.NewRawLines(w, options)
		return l, l.Flush, nil
	})
}

// export begins one file.
func (o *outputs) export(m Measurement, name string,
	begin func(io.Writer) (sink record.Sink, end func() error, err error)) error {
	f, err := report.Create(filepath.Join(o.dir, name))
	if err != nil {
		return err
	}
	sink, end, err := begin(f)
	if err != nil {
		f.Abort()
		return err
	}
	e := &export{name: name, begin: begin, file: f, sink: sink, end: end, auto: m.Metrics.Tokens == metric.TokensAuto}
	o.exports = append(o.exports, e)
	o.sinks = append(o.sinks, e)
	return nil
}

// lines writes profile_export.jsonl, compressed or not.
func lines(w io.Writer, o report.LineOptions, compress bool) (record.Sink, func() error, error) {
	if !compress {
		l := report.NewLines(w, o)
		return l, l.Flush, nil
	}
	z, err := report.NewZst(w)
	if err != nil {
		return nil, nil, err
	}
	l := report.NewLines(z, o)
	return l, func() error {
		if err := l.Flush(); err != nil {
			return err
		}
		return z.Close()
	}, nil
}
