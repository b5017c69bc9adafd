package study

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"headway/report"
	"headway/report/llmd"
)

// finish writes what is known only at the end and gives every file its name.
// It tries all of them: a fault with one must not lose another. The records
// come after the files that can fail for their size, so that they say so, and
// the report last: where it lies, everything else does.
//
// Where earlier results stay the records alone are kept, as a partial file.
func (o *outputs) finish(rep *report.Report) error {
	if o.dir == "" {
		return nil
	}
	if o.earlier.kept() {
		return o.withdraw(rep)
	}
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
	keep[o.names.Telemetry], keep[o.names.TelemetryTable] = o.closeTelemetry(rep)
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
	if o.llmd {
		keep[llmd.Name] = true
		errs = append(errs, writeLLMD(o.dir, rep))
	}
	if err := rep.WriteFiles(o.dir, o.names); err != nil {
		return distinct(append(errs, err)...)
	}
	return distinct(append(errs, o.clear(keep, rep.Complete()))...)
}

// writeLLMD writes the Benchmark Report of llm-d into the folder of a run.
func writeLLMD(dir string, rep *report.Report) error {
	return report.WriteFile(filepath.Join(dir, llmd.Name), func(w io.Writer) error { return llmd.Write(w, rep) })
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
	return []string{n.JSON, n.CSV, n.JSONL, n.JSONL + report.Zst, n.Console, n.Inputs, n.Records, n.Table,
		n.Raw, n.Telemetry, n.TelemetryTable, n.Page, llmd.Name, scheduleName}
}

// remove removes a file or a folder that may be missing.
func remove(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("removing an earlier run: %w", err)
	}
	return nil
}

// withdraw leaves the folder's results as they are.
func (o *outputs) withdraw(rep *report.Report) error {
	err := o.recordLines.Close(rep.Run.Trailer)
	o.records.Leave()
	for _, f := range append(o.others(), o.schedule) {
		if f != nil {
			f.Abort()
		}
	}
	return distinct(err, fmt.Errorf("%w: %s; what this run "+
		"recorded is in %s", ErrOldStay, o.earlier.dir, o.records.Name()))
}

// others are the files beside the records and the schedule; some may be nil.
func (o *outputs) others() []*report.File {
	all := []*report.File{o.inputsFile, o.telemetry}
	for _, e := range o.exports {
		all = append(all, e.file)
	}
	return all
}

// mine are the paths of the files that are being written.
func (o *outputs) mine() map[string]bool {
	paths := map[string]bool{}
	for _, f := range append(o.others(), o.schedule, o.records) {
		if f != nil {
			paths[filepath.Clean(f.Name())] = true
		}
	}
	return paths
}

func (o *outputs) abort() {
	if o.recordLines != nil {
		o.recordLines.Leave()
	}
	for _, f := range append(o.others(), o.schedule, o.records) {
		if f != nil {
			f.Abort()
		}
	}
}
