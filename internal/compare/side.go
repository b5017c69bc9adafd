package compare

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/study"
	"headway/metric"
	"headway/report"
)

// Side is one of the sides that are compared: folders or files of results, each of
// which may hold several runs, and runs that are in memory.
type Side struct {
	Name    string
	Paths   []string
	Reports []*report.Report
}

// run is one run of a side.
type run struct {
	report *report.Report
	remade *study.Remade // nil of a run that was never on disk
	// name tells it from other experiments in its folder; pinned says that it is
	// another thing than all of another name, such as an arm of a benchmark.
	name   string
	pinned bool
	path   string
	place  string            // the same of all paths to the run; empty in memory
	load   map[string]string // settings that say what was sent
	others map[string]string // all others
}

// contents are what a side has.
type contents struct {
	runs []run
	// untold says what could not be read, a sentence each.
	untold []string
}

// read reads all runs of a side. A profile is read as the runs of its points.
func (s Side) read() (c contents, err error) {
	for _, r := range s.Reports {
		c.runs = append(c.runs, runOf(r))
	}
	for _, path := range s.Paths {
		disk, err := study.Remake{}.Read(path)
		if err != nil {
			return c, err
		}
		c.untold = append(c.untold, untoldOf(disk)...)
		if len(disk.Found) == 1 {
			disk.Found[0].Name = "" // the folder's own: repeats lie in folders of their own
		}
		for _, f := range disk.Found {
			c.runs = append(c.runs, others(runsOf(f), c.runs)...)
		}
		if len(disk.Found) == 0 {
			return c, fmt.Errorf("reading results in %s: there are only summaries in it, and an interval is made "+
				"of requests: keep records.jsonl or profile_export.jsonl beside them", path)
		}
	}
	return c, nil
}

// untoldOf is what of a folder is in no figure: runs and lines that could not be read,
// runs that were not made, and summaries without requests.
func untoldOf(d *study.Disk) []string {
	all := slices.Clone(d.Missing)
	for _, f := range d.Found {
		for _, l := range f.Levels {
			all = append(all, l.Missing()...)
		}
	}
	for _, path := range d.Summaries {
		all = append(all, path+": there is no file of requests beside it, and an interval is made of requests")
	}
	return all
}

// runsOf are the runs of what was found.
func runsOf(f study.Found) (all []run) {
	names := make([]string, len(f.Levels))
	if f.Comparison != nil {
		i := 0
		for _, k := range f.Comparison.Cases {
			for _, a := range k.Arms {
				names[i] = k.Name + " on " + a.Name
				i++
			}
		}
	}
	for i, l := range f.Levels {
		for _, r := range l.Runs {
			if prepares(r.Dir) {
				continue
			}
			one := runOf(r.Report)
			one.name, one.path = f.Name, r.From
			one.remade, one.place = r, placeOf(r)
			if names[i] != "" {
				one.name, one.pinned = names[i], true
			}
			all = append(all, one)
		}
	}
	return all
}

// placeOf is where a run lies, whatever path it was read by: a folder may be given
// beside one above it, by a link, or by one of its files.
func placeOf(r *study.Remade) string {
	dir, err := filepath.Abs(r.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		dir = r.Dir
	}
	return filepath.Join(dir, r.Names.JSON)
}

// others are the runs that are not among those.
func others(runs, those []run) []run {
	return slices.DeleteFunc(slices.Clone(runs), func(r run) bool {
		return r.place != "" && slices.ContainsFunc(those, func(q run) bool { return q.place == r.place })
	})
}

// apart is an error where a run is on both sides: no change of it against itself tells
// anything, and intervals are those of different runs.
func apart(aName, bName string, a, b []run) error {
	for _, r := range a {
		if len(others([]run{r}, b)) == 0 {
			return fmt.Errorf("%s is on both sides, %s and %s: give folders that have no run in common", r.path, aName,
				bName)
		}
	}
	return nil
}

// SidesOf are sides of one folder each, named by the least of the ends of their paths
// that tells them apart.
func SidesOf(paths []string) []Side {
	all := make([]Side, len(paths))
	for i, p := range paths {
		all[i] = Side{Name: endOf(p, paths), Paths: []string{p}}
	}
	return all
}

// prepares says that a run of a profile only prepared others: it warmed the server up,
// or filled its cache.
func prepares(dir string) bool {
	name := filepath.Base(dir)
	return name == "warm-up" || name == "fill"
}

// runOf is a run that stands alone.
func runOf(r *report.Report) run {
	one := run{report: r}
	one.load, one.others = settingsOf(r.Run.Header)
	return one
}

// endOf is the shortest end of a path that no other of the paths has.
func endOf(path string, all []string) string {
	parts := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
	for n := 1; n < len(parts); n++ {
		end := "/" + strings.Join(parts[len(parts)-n:], "/")
		same := 0
		for _, other := range all {
			if strings.HasSuffix("/"+filepath.ToSlash(filepath.Clean(other)), end) {
				same++
			}
		}
		if same == 1 {
			return end[1:]
		}
	}
	return strings.Join(parts, "/")
}

// lengths are the mean measured lengths in tokens; 0 where they are not known.
func (r run) lengths() (in, out float64) {
	return r.mean("input_sequence_length"), r.mean("output_sequence_length")
}

func (r run) mean(tag string) float64 {
	s, ok := r.report.Result.Summary(tag)
	if !ok {
		return 0
	}
	return s.Mean
}

// spread is the squared standard error of the mean input length of what was drawn.
func (r run) spread() float64 {
	s, ok := r.report.Result.Summary("input_sequence_length")
	if !ok || s.Count == 0 {
		return 0
	}
	return s.Std * s.Std / float64(s.Count)
}

// value is the run's figure; Why says why it decides nothing.
func (r run) value(f metric.Figure) report.Figure {
	e := r.report.Figure(f.Tag, f.Stat)
	if what, yes := r.report.Result.Meaningless(f.Tag); yes && e.Why == "" {
		e.Why = metric.Reason(what)
	}
	return e
}
