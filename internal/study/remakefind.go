package study

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"headway/report"
)

// Found is something that was measured and whose results lie in a folder: a run
// or its repeats, a sweep, or a comparison of routers.
type Found struct {
	// Name tells it from others in the folder.
	Name string
	// Levels are those of a sweep, by concurrency; one level without it is of a
	// run that stands alone.
	Levels []FoundLevel
	// Swept says that they are of a sweep, also where there is only one.
	Swept bool
	// Comparison is of routers; Levels has its runs then, a level each.
	Comparison *report.Comparison
	dir        string // of the comparison
}

// FoundLevel is one concurrency, and the runs that were made of it.
type FoundLevel struct {
	Dir         string
	Concurrency int
	Runs        []*Remade
}

// Reports are those of the runs.
func (l FoundLevel) Reports() []*report.Report {
	var all []*report.Report
	for _, r := range l.Runs {
		all = append(all, r.Report)
	}
	return all
}

// Disk is what lies in a folder of results.
type Disk struct {
	// Root is the folder, or that of the file which was read.
	Root  string
	Found []Found
	// Others are those of other procedures.
	Others []FoundOther
	// Summaries are files of figures without a file of requests beside them:
	// nothing of them can be computed again, only shown.
	Summaries []string
	// Missing says what could not be read, a sentence each.
	Missing []string
}

// notRuns are folders below that of a run whose files repeat others.
var notRuns = []string{"plots", "phases", "aggregate"}

// Read finds everything below a folder, or makes the run of one file: a
// records.jsonl, a profile_export.jsonl, or a summary. A run that cannot be read is
// left out and said; nothing readable is an error.
func (m Remake) Read(path string) (*Disk, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	d := &Disk{Root: path}
	if !info.IsDir() {
		d.Root = filepath.Dir(path)
		s := m.sourceOf(path)
		if s.make == nil {
			d.Summaries = []string{path}
			return d, nil
		}
		one, err := s.make(path)
		if err != nil {
			return nil, err
		}
		d.Found = []Found{{Name: filepath.Base(one.Dir), Levels: []FoundLevel{{Dir: one.Dir, Runs: []*Remade{one}}}}}
		return d, nil
	}
	var sources []source
	err = filepath.WalkDir(path, func(dir string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		if dir != path && (strings.HasPrefix(e.Name(), ".") || slices.Contains(notRuns, e.Name())) {
			return fs.SkipDir
		}
		if c, err := m.comparison(dir); c != nil || err != nil {
			d.add(c, err)
			return fs.SkipDir
		}
		if m.other(dir, d) {
			return fs.SkipDir
		}
		sources = append(sources, m.sources(dir, d)...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading results in %s: %w", path, err)
	}
	d.group(path, sources)
	return d, d.empty(path)
}

// empty is the error of a folder of which nothing could be read.
func (d *Disk) empty(path string) error {
	switch {
	case len(d.Found)+len(d.Others)+len(d.Summaries) > 0:
		return nil
	case len(d.Missing) > 0:
		return fmt.Errorf("reading results in %s: nothing is readable, the first: %s", path, d.Missing[0])
	}
	return fmt.Errorf("reading results in %s: there is no records.jsonl, profile_export.jsonl or "+
		"profile_export_aiperf.json in it or below it, and no profile of an engine", path)
}

func (d *Disk) add(c *Found, err error) {
	if err != nil {
		d.Missing = append(d.Missing, err.Error())
		return
	}
	d.Found = append(d.Found, *c)
}

// group reads the files and puts runs of one load, and levels of one sweep,
// together.
func (d *Disk) group(root string, sources []source) {
	for _, s := range sources {
		one, err := s.make(s.path)
		if err != nil {
			d.Missing = append(d.Missing, err.Error())
			continue
		}
		name, n := report.Place(root, s.path)
		dir := levelDir(one.Dir)
		sweep := n > 0 && filepath.Clean(dir) != filepath.Clean(root)
		if !sweep && one.Names != report.FileNames("") {
			name += "/" + strings.TrimSuffix(one.Names.JSON, ".json")
		}
		at := slices.IndexFunc(d.Found, func(f Found) bool {
			return f.Name == name && f.Swept == sweep && f.Comparison == nil
		})
		if at < 0 {
			at, d.Found = len(d.Found), append(d.Found, Found{Name: name, Swept: sweep})
		}
		d.Found[at].put(one, dir, n)
	}
	for _, f := range d.Found {
		slices.SortStableFunc(f.Levels, func(a, b FoundLevel) int { return cmp.Compare(a.Concurrency, b.Concurrency) })
	}
}

func (f *Found) put(one *Remade, dir string, concurrency int) {
	i := slices.IndexFunc(f.Levels, func(l FoundLevel) bool { return l.Concurrency == concurrency })
	if i < 0 {
		i, f.Levels = len(f.Levels), append(f.Levels, FoundLevel{Dir: dir, Concurrency: concurrency})
	}
	f.Levels[i].Runs = append(f.Levels[i].Runs, one)
}

var runFolder = regexp.MustCompile(`^run_[0-9]+$`)

// levelDir is the folder of the load that a run is one of.
func levelDir(dir string) string {
	if up := filepath.Dir(dir); runFolder.MatchString(filepath.Base(dir)) && filepath.Base(up) == "profile_runs" {
		return filepath.Dir(up)
	}
	return dir
}
