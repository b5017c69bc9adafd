package study

import (
	"io"
	"path/filepath"

	"headway/record"
	"headway/report"
)

// export is a file with something of every request that is written for
// others and that headway itself does not read.
type export struct {
	name string
	file *report.File
	// end writes what is still to be written.
	end func() error
}

// exported are the names of the exports of a measurement.
func (m Measurement) exported() []string {
	var names []string
	if m.Lines {
		names = append(names, m.linesName())
	}
	if m.Table {
		names = append(names, m.Names.Table)
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
		err := o.export(m.linesName(), func(w io.Writer) (record.Sink, func() error, error) {
			return lines(w, options, m.Compress)
		})
		if err != nil {
			return err
		}
	}
	if !m.Table {
		return nil
	}
	return o.export(m.Names.Table, func(w io.Writer) (record.Sink, func() error, error) {
		t := report.NewTable(w, options)
		return t, t.Close, nil
	})
}

// export begins one file.
func (o *outputs) export(name string, begin func(io.Writer) (sink record.Sink, end func() error, err error)) error {
	f, err := report.Create(filepath.Join(o.dir, name))
	if err != nil {
		return err
	}
	sink, end, err := begin(f)
	if err != nil {
		f.Abort()
		return err
	}
	o.exports = append(o.exports, export{name, f, end})
	o.sinks = append(o.sinks, sink)
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
