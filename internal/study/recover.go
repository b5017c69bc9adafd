package study

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/filelock"
	"headway/record"
	"headway/report"
)

// Recovery makes the files of runs whose process was killed.
type Recovery struct {
	// Dir is looked through with everything below it. The caller has it locked.
	Dir string
	// Overwrite replaces results of another run that lie in the same folder,
	// where a request of the killed one was answered.
	Overwrite bool
}

// Recovered is a run whose files were made of what its process had left.
type Recovered struct {
	Dir    string         // the run's folder
	From   string         // the file of records
	Report *report.Report // nil where no request had ended; nothing is written then
	// Records is how many were read, Planned how many requests were planned, 0
	// where that is not known.
	Records, Planned int
	// Missing says what the run would have had besides, a sentence each.
	Missing []string
	skipped int // lines that could not be read
}

// Run recovers every run below Dir that left records without an end, and those
// that were killed between their records and their summary. The rest is tried
// where one cannot be recovered; the error has all causes.
func (r Recovery) Run() ([]Recovered, error) {
	found, err := r.find()
	errs := []error{err}
	var all []Recovered
	for _, l := range found {
		one, err := r.alone(l)
		if err != nil {
			errs = append(errs, fmt.Errorf("recovering %s: %w", l.path, err))
			continue
		}
		all = append(all, one)
	}
	return all, distinct(errs...)
}

// alone recovers a run with its folder, and those between it and Dir, locked
// against other processes. Dir itself is the caller's.
func (r Recovery) alone(l left) (one Recovered, err error) {
	for dir := filepath.Dir(l.path); dir != filepath.Clean(r.Dir); dir = filepath.Dir(dir) {
		lock, err := filelock.LockDir(dir, "headway report --recover "+r.Dir)
		if err != nil {
			return one, err
		}
		defer func() { err = distinct(err, lock.Release()) }()
	}
	return r.recover(l)
}

// recover makes the files of one run.
func (r Recovery) recover(l left) (Recovered, error) {
	dir := filepath.Dir(l.path)
	if l.partial {
		if filelock.Held(l.path) {
			return Recovered{}, errors.New("its process still runs, or files cannot be locked here: end it first")
		}
		if _, err := os.Stat(l.results()); err == nil && !r.Overwrite {
			return Recovered{}, fault.New("%s %w that ended: %s replaces them, or move %s to a "+
				"folder of its own", dir, ErrHasResults, fault.Field("overwrite"), filepath.Base(l.path))
		}
	}
	f, err := bound.Open(l.path)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	one := Recovered{Dir: dir, From: l.path}
	in, err := record.NewReader(f, l.path)
	if errors.Is(err, record.ErrEmpty) {
		return one, distinct(remove(l.path), remove(l.schedule()))
	}
	if err != nil {
		return Recovered{}, err
	}
	if err := one.make(l, in); err != nil {
		return Recovered{}, err
	}
	if !l.partial || one.skipped > 1 {
		return one, nil
	}
	return one, distinct(remove(l.path), remove(l.schedule()))
}

// make reads the records and writes the files, in the way of a run that ends.
func (o *Recovered) make(l left, in *record.Reader) error {
	m, err := again(in.Header(), o.Dir, l.names)
	if err != nil {
		return err
	}
	if m.Earlier, err = newEarlier(o.Dir, l.names, nil, "."); err != nil {
		return err
	}
	if !l.partial {
		m.Earlier = nil // they are this run's
	}
	schedule, err := o.schedule(l)
	if err != nil {
		return err
	}
	out, err := m.open(schedule)
	if err != nil {
		return err
	}
	t, err := o.take(in, out)
	if err != nil || o.Records == 0 {
		out.abort()
		return err
	}
	rep := &report.Report{Run: record.Run{Header: m.Header, Trailer: t}, Result: out.collector.Result()}
	rep.Result.Tail = tailOf(&out.tail, t)
	rep.Run.CountedBy = rep.Result.Tokens.By()
	o.Report = rep
	return out.finish(rep)
}

// again is the measurement of a header, without a load.
func again(h record.Header, dir string, names report.Names) (Measurement, error) {
	o, c, err := optionsOf(h)
	return Measurement{Header: h, Metrics: o, Dir: dir, Names: names, Lines: c.Level != "summary",
		HTTPTrace: c.HTTPTrace,
		Compress:  c.Compression == "zst", Table: c.Parquet}, err
}

// take reads the records. The trailer is that of the file, or what can be said
// in its place.
func (o *Recovered) take(in *record.Reader, out *outputs) (record.Trailer, error) {
	var t record.Trailer
	warmup := 0
	for {
		r, err := in.Next()
		if o.skipped, _ = in.Skipped(); errors.Is(err, io.EOF) || err != nil && o.Records == 0 && o.skipped == 1 {
			break // in the middle of the first line, perhaps
		}
		if err == nil {
			err = out.Take(r)
		}
		if err != nil {
			return t, err
		}
		o.Records++
		if r.Warmup {
			warmup++
			continue
		}
		if begin := firstKnown(r.Planned, r.Start); begin.Known() && (!t.Begin.Known() || begin < t.Begin) {
			t.Begin = begin
		}
		t.End = max(t.End, r.Done)
	}
	if whole, ok := in.Trailer(); ok && o.skipped == 0 {
		return whole, nil
	}
	o.miss(warmup)
	t.Aborted = "the process was killed before the run ended"
	t.Warnings = []record.Warning{{Code: "recovered",
		Text: "recovered from the records of a process that was killed: " + strings.Join(o.Missing, "; ")}}
	return t, nil
}

func firstKnown(times ...record.Time) record.Time {
	for _, t := range times {
		if t.Known() {
			return t
		}
	}
	return 0
}

// miss says what a run that was killed does not have.
func (o *Recovered) miss(warmup int) {
	say := func(format string, args ...any) { o.Missing = append(o.Missing, fmt.Sprintf(format, args...)) }
	switch measured := o.Records - warmup; {
	case o.Planned > measured:
		say("%d of %d planned requests have no record: they were in flight, had ended less than a second before, "+
			"or were not sent", o.Planned-measured, o.Planned)
	case o.Planned == 0:
		say("requests that were in flight, or had ended less than a second before, have no record")
	}
	switch {
	case o.skipped == 1:
		say("a line of the records could not be read, most often the last, which was being written")
	case o.skipped > 1:
		say("%d lines of the records could not be read; they are still in %s", o.skipped, o.From)
	}
	say("whether the client was good enough is not known")
}

// schedule takes over what was planned, and counts it; nil where that has no
// end or is not there.
func (o *Recovered) schedule(l left) (*report.File, error) {
	from := l.schedule()
	if !l.partial {
		from = filepath.Join(o.Dir, scheduleName)
	}
	old, err := bound.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer old.Close()
	f, err := report.CreatePartial(filepath.Join(o.Dir, scheduleName))
	if err != nil {
		return nil, err
	}
	lines := lineCount{w: f}
	if _, err := io.Copy(&lines, old); err != nil {
		f.Abort()
		return nil, fmt.Errorf("taking over the schedule: %w", err)
	}
	o.Planned = lines.n
	return f, nil
}

// lineCount counts lines on their way.
type lineCount struct {
	w io.Writer
	n int
}

func (c *lineCount) Write(b []byte) (int, error) {
	c.n += strings.Count(string(b), "\n")
	return c.w.Write(b)
}
