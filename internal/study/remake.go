package study

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"headway/internal/bound"
	"headway/internal/tail"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// Remake makes the report of a run again, of the records that lie on disk.
type Remake struct {
	// Objectives, where there are any, take the place of the run's own; NumGPUs,
	// above 0, that of the number of GPUs that was declared.
	Objectives []metric.Objective
	NumGPUs    int
	// Others, which may be nil, reads what other procedures left in a folder; nil
	// where that is nothing.
	Others func(dir string) (Other, error)
}

// Remade is a run that was read again.
type Remade struct {
	// Dir is the run's folder, From the file that its figures are made of.
	Dir, From string
	Names     report.Names
	Report    *report.Report
	// Missing says what the run had and these files do not tell, a sentence each.
	Missing []string

	kept   kept
	tokens metric.TokenSource
	// take reads the requests again into other sinks, for the exports.
	take func(record.Sink) error
}

// Records reads a records.jsonl of any version of the format. A run that was
// killed has a report, too; what is missing of it is said.
func (m Remake) Records(path string) (*Remade, error) {
	one := &Remade{Dir: filepath.Dir(path), From: path, Names: namesOf(path)}
	header, err := headerOf(path)
	if err != nil {
		return nil, err
	}
	o, c, err := optionsOf(header)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	one.kept, one.tokens = c, o.Tokens
	if m.NumGPUs > 0 {
		header.NumGPUs, o.NumGPUs = m.NumGPUs, m.NumGPUs
	}
	if len(m.Objectives) > 0 {
		o.Objectives = m.Objectives
	}
	o.Samples = true // gains between runs are made of them
	collector := metric.NewCollector(o)
	var slow tail.Evidence
	trailer, missing, err := takeRecords(path, collector, &slow)
	if err != nil {
		return nil, err
	}
	one.Missing = missing
	one.Report = &report.Report{Run: record.Run{Header: header, Trailer: trailer}, Result: collector.Result()}
	one.Report.Result.Tail = tailOf(&slow, trailer)
	one.Report.Run.CountedBy = one.Report.Result.Tokens.By()
	one.take = func(s record.Sink) error { _, _, err := takeRecords(path, s); return err }
	return one, nil
}

// Each hands every request of the run to a sink again, those of its warm-up too.
func (r *Remade) Each(s record.Sink) error { return r.take(s) }

// takeRecords hands every Record of a file to sinks. The trailer of a file that
// has none is that of a killed run; lines that could not be read are said in it.
func takeRecords(path string, into ...record.Sink) (record.Trailer, []string, error) {
	f, err := bound.Open(path)
	if err != nil {
		return record.Trailer{}, nil, err
	}
	defer f.Close()
	in, err := record.NewReader(f, path)
	if err != nil {
		return record.Trailer{}, nil, err
	}
	one := Recovered{From: path}
	t, err := one.take(in, &outputs{sinks: into, failed: func() {}})
	if err != nil {
		return t, nil, err
	}
	whole, ended := in.Trailer()
	if !ended || one.skipped == 0 {
		return t, one.Missing, nil
	}
	text := fmt.Sprintf("%d lines of %s could not be read and are in no figure", one.skipped, path)
	whole.Warnings = append(whole.Warnings, record.Warning{Code: "lines_unreadable", Text: text})
	return whole, []string{text}, nil
}

// namesOf are the names of a run's files, by that of its records.
func namesOf(path string) report.Names {
	if m := recordsName.FindStringSubmatch(filepath.Base(path)); m != nil {
		return report.FileNames(m[1])
	}
	return report.FileNames("")
}

// Write makes the run's files in dir: the JSON, the CSV, the console's text, and
// the exports that the run had asked for. The records, the schedule and the
// bodies are what was measured and stay where they are.
func (r *Remade) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the result folder: %w", err)
	}
	if err := report.ClearTemporary(dir); err != nil {
		return err
	}
	return distinct(r.writeExports(dir), r.Report.WriteFiles(dir, r.Names))
}

// writeExports writes what has something of every request.
func (r *Remade) writeExports(dir string) error {
	o, c, err := optionsOf(r.Report.Run.Header)
	if err != nil {
		return err
	}
	m := Measurement{Metrics: o, Dir: dir, Names: r.Names, Lines: c.Level != "summary" && !r.fromLines(),
		HTTPTrace: c.HTTPTrace, Compress: c.Compression == "zst", Table: c.Parquet}
	out := &outputs{dir: dir, names: r.Names, failed: func() {}}
	if err := out.openExports(m); err != nil {
		out.abort()
		return err
	}
	if len(out.exports) == 0 {
		return nil
	}
	if err := r.take(out); err != nil {
		out.abort()
		return err
	}
	return out.closeExports(r.From)
}

// fromLines says that the run's profile_export.jsonl is what it was read of.
func (r *Remade) fromLines() bool { return filepath.Base(r.From) == r.Names.JSONL }

// closeExports ends the exports, whose Records lie in the file records.
func (o *outputs) closeExports(records string) error {
	var errs []error
	for _, e := range o.exports {
		err := error(nil)
		if e.silent && e.said {
			err = e.again(o.dir, records)
		}
		if err = errors.Join(err, e.end()); err != nil {
			e.file.Abort()
		} else {
			err = e.file.Commit()
		}
		errs = append(errs, err)
	}
	return distinct(errs...)
}
