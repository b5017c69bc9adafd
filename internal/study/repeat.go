package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"headway/internal/audit"
	"headway/internal/bound"
	"headway/internal/options"
	"headway/record"
	"headway/report"
)

// Repeat makes one measurement one or more times.
type Repeat struct {
	// Dir takes the files of a single run. Several runs go to
	// profile_runs/run_0001 … below it, with their aggregate beside them.
	Dir        string
	Runs       int
	Cooldown   time.Duration
	Confidence float64
	// Until ends the repeats before Runs are made, when all of these are known well enough.
	Until []options.Wanted
	// Measure prepares a run, counted from 0.
	Measure func(run int, dir string) (Measurement, error)
	Watch   Watcher
	// Keep takes runs that an earlier call finished as they are.
	Keep bool
	// Earlier are results that a good reply of these runs replaces; where it is
	// nil they are looked for in Dir.
	Earlier *Earlier
}

// runPattern matches the folders of several runs, below that of the measurement.
const runPattern = "profile_runs/run_*"

// Run makes the runs and returns their reports in order. Those that were made
// before an error or the end of ctx are returned with it. What an earlier
// measurement left in Dir and this one does not write is removed when the new
// results are there.
func (r Repeat) Run(ctx context.Context) ([]*report.Report, error) {
	var all []*report.Report
	measured := 0
	var names report.Names
	for i := range max(1, r.Runs) {
		if measured > 0 && !pause(ctx, r.Cooldown) {
			break
		}
		rep, kept, err := r.one(ctx, i, &names)
		if rep != nil {
			all = append(all, rep)
		}
		if !kept {
			measured++
		}
		if err != nil {
			return all, err
		}
		if len(r.Until) > 0 && r.short(all) == nil {
			r.Runs = len(all) // the aggregate is of these
			break
		}
		if ctx.Err() != nil && measured == 0 {
			return all, nil // nothing is new, and what is there stays
		}
		if ctx.Err() != nil {
			break
		}
	}
	r.warnShort(all)
	return all, distinct(r.aggregate(all), r.clear(all, names))
}

func (r Repeat) dir(run int) string { return folderOfRun(r.Dir, run, r.Runs) }

// folderOfRun is where run i of n lies that were made of one load.
func folderOfRun(dir string, i, n int) string {
	if n <= 1 {
		return dir
	}
	return filepath.Join(dir, "profile_runs", report.RunLabel(i))
}

func (r *Repeat) one(ctx context.Context, run int, names *report.Names) (rep *report.Report, kept bool, err error) {
	m, err := r.Measure(run, r.dir(run))
	if err != nil {
		return nil, false, err
	}
	*names = m.Names
	if m.Earlier, err = r.replaced(m); err != nil {
		return nil, false, err
	}
	if r.Keep {
		if rep := m.kept(); rep != nil {
			return rep, true, nil
		}
	}
	m.Watch = r.Watch
	rep, err = m.Run(ctx)
	return rep, false, err
}

// replaced are the results that a run replaces: of another measurement those of
// all its runs, and of the same one those of the same run.
func (r *Repeat) replaced(m Measurement) (_ *Earlier, err error) {
	if r.Keep {
		return newEarlier(m.Dir, m.Names, nil, ".")
	}
	if r.Earlier != nil {
		return r.Earlier, nil
	}
	var clear func(map[string]bool) error
	if r.Runs > 1 {
		clear = func(mine map[string]bool) error { return r.clearAll(m.Names, mine) }
	}
	r.Earlier, err = newEarlier(r.Dir, m.Names, clear, ".", runPattern)
	return r.Earlier, err
}

// clearAll removes a measurement that lies in Dir, but for files of this one and
// bodies, which are also what a later run can be made of.
func (r Repeat) clearAll(names report.Names, mine map[string]bool) error {
	errs := []error{remove(filepath.Join(r.Dir, "aggregate"))}
	for _, name := range known(names) {
		if name != names.Inputs {
			errs = append(errs, remove(filepath.Join(r.Dir, name)))
		}
	}
	old, err := bound.Glob(r.Dir, runPattern)
	errs = append(errs, err)
	for _, dir := range old {
		errs = append(errs, removeBut(dir, mine))
	}
	return distinct(errs...)
}

// earlier is the report of a run that an earlier call brought to its end; nil
// where there is none, and the error says why one cannot be read.
func earlier(m Measurement) (*report.Report, error) {
	rep, err := Reread(filepath.Join(m.Dir, m.Names.Records), m.Metrics, m.Secrets)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case rep == nil || !rep.Complete() || !complete(m, rep.Run.ID):
		return nil, nil
	}
	if a := rep.Run.Audit; a != nil && m.Audit != nil {
		audit.Judge(a, m.Audit.MaxLag) // its bound may be another today
	}
	return rep, nil
}

// complete says whether every file of a run is there and its summary is of the
// same run: a process can end between two of them.
func complete(m Measurement, id string) bool {
	names := []string{m.Names.CSV, m.Names.Console}
	names = append(names, m.exported()...)
	if m.Body != nil {
		names = append(names, m.Names.Inputs)
	}
	if !m.Plan.Endless {
		names = append(names, scheduleName)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(m.Dir, name)); err != nil {
			return false
		}
	}
	l, err := report.Load(filepath.Join(m.Dir, m.Names.JSON))
	return err == nil && l.ID == id && !l.Cut()
}

// aggregate writes the intervals over several runs, and says which of them were
// cut short or never made.
func (r Repeat) aggregate(all []*report.Report) error {
	if r.Runs <= 1 {
		return nil
	}
	a := report.Aggregate{Confidence: r.Confidence, Cooldown: r.Cooldown.Seconds()}
	for i, rep := range all {
		if rep.Complete() {
			a.Runs = append(a.Runs, rep)
			continue
		}
		why := "cancelled by the user"
		if rep.Run.Aborted != "" {
			why = rep.Run.Aborted
		}
		a.Failed = append(a.Failed, report.FailedRun{Label: report.RunLabel(i), Error: why})
	}
	for i := len(all); i < r.Runs; i++ {
		a.Failed = append(a.Failed, report.FailedRun{Label: report.RunLabel(i),
			Error: "not made: the measurement was ended before"})
	}
	if missing := r.Runs - len(all); missing > 0 && len(all) > 0 {
		last := &all[len(all)-1].Run
		last.Warnings = append(slices.Clip(last.Warnings), record.Warning{Code: "runs_missing",
			Text: fmt.Sprintf("%d of %d runs were not made, since the measurement was ended before", missing, r.Runs)})
	}
	if len(a.Runs) == 0 {
		return nil
	}
	return a.WriteFiles(filepath.Join(r.Dir, "aggregate"))
}

// clear removes what lies in Dir of a measurement with another number of runs.
func (r Repeat) clear(all []*report.Report, names report.Names) error {
	if len(all) == 0 {
		return nil
	}
	var errs []error
	if r.Runs <= 1 {
		errs = append(errs, remove(filepath.Join(r.Dir, "profile_runs")), remove(filepath.Join(r.Dir, "aggregate")))
		return distinct(errs...)
	}
	for _, name := range known(names) {
		// Bodies are also what a later run can be made of.
		if name != names.Inputs {
			errs = append(errs, remove(filepath.Join(r.Dir, name)))
		}
	}
	old, err := bound.Glob(r.Dir, runPattern)
	errs = append(errs, err)
	made := len(all)
	if r.Keep {
		made = r.Runs // those that were not come to yet may be taken later
	}
	mine := map[string]bool{}
	for i := range made {
		mine[report.RunLabel(i)] = true
	}
	for _, dir := range old {
		if !mine[filepath.Base(dir)] {
			errs = append(errs, remove(dir))
		}
	}
	if !slices.ContainsFunc(all, (*report.Report).Complete) {
		errs = append(errs, remove(filepath.Join(r.Dir, "aggregate")))
	}
	return distinct(errs...)
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
