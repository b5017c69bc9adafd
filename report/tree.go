package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headway/record"
)

// Experiment is a sweep that lies in a folder: its levels by concurrency.
type Experiment struct {
	Name   string
	Points []Point
}

// Point is one level of an experiment. Several runs are repeats.
type Point struct {
	Concurrency int
	Runs        []*Loaded
}

// Cut reports whether a run of the level was ended before all was measured.
func (p Point) Cut() bool { return slices.ContainsFunc(p.Runs, (*Loaded).Cut) }

// HasData reports whether any request of the experiment was answered.
func (e Experiment) HasData() bool {
	for _, p := range e.Points {
		for _, r := range p.Runs {
			if _, ok := r.Value("request_latency", "avg"); ok {
				return true
			}
			if _, ok := r.Value("request_throughput", "avg"); ok {
				return true
			}
		}
	}
	return false
}

// Simulated reports whether any run of the experiment is.
func (e Experiment) Simulated() bool {
	for _, p := range e.Points {
		for _, r := range p.Runs {
			if r.Simulated {
				return true
			}
		}
	}
	return false
}

// Tree reads every summary below dir:
//
//	<dir>/<experiment>/c<N>/profile_export_aiperf.json
//
// and deeper, in the folders that aiperf makes: <model>-…-concurrency<N>,
// concurrency_<N>, profile_runs/run_<NNNN>. dir may also be one experiment, or
// one level. The concurrency is the file's own and, where it says none, that
// of the folder's name. A file that cannot be read is a warning; nothing
// readable is an error. Names, when given, pick experiments.
func Tree(dir string, names []string) ([]Experiment, []record.Warning, error) {
	files, err := find(dir)
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("reading results in %s: no profile_export_aiperf.json in it or below it", dir)
	}
	var found []located
	var warnings []record.Warning
	for _, path := range files {
		l, err := Load(path)
		if err != nil {
			warnings = append(warnings, record.Warning{Code: "unreadable_result", Text: err.Error()})
			continue
		}
		at := locate(dir, path)
		at.loaded = l
		if l.Concurrency == 0 {
			l.Concurrency = at.concurrency
		}
		if l.Concurrency == 0 {
			warnings = append(warnings, record.Warning{Code: "no_concurrency",
				Text: "no concurrency in " + path +
					" or in its folder's name: left out of the pictures, which are over concurrency"})
			continue
		}
		found = append(found, at)
	}
	if len(found) == 0 {
		return nil, warnings, fmt.Errorf("reading results in %s: none of %d files is usable, the first: %s", dir,
			len(files), warnings[0].Text)
	}
	picked, err := pick(group(found), names)
	for _, e := range picked {
		if !e.HasData() {
			warnings = append(warnings, record.Warning{Code: "no_data",
				Text: "experiment " + e.Name + ": no request was answered, so it is in no picture"})
		}
	}
	return picked, warnings, err
}

// find lists the summaries below dir, without those that repeat others: the
// phases of a run, and a level's own file beside its repeats.
func find(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != dir && (d.Name() == "phases" || d.Name() == "plots" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if d.Name() != FileNames("").JSON {
			return nil
		}
		if s, err := os.Stat(filepath.Join(filepath.Dir(path), "profile_runs")); err == nil && s.IsDir() {
			return nil
		}
		files = append(files, path)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading results in %s: there is no such folder", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading results in %s: %w", dir, err)
	}
	return files, nil
}

// located is a summary and what its place says.
type located struct {
	loaded      *Loaded
	experiment  string // path of names, without levels and repeats
	concurrency int    // of the folder's name, 0 where it says none
}

var (
	reLevel  = regexp.MustCompile(`^c(?:oncurrency)?[_-]?([0-9]{1,9})$`)
	reSuffix = regexp.MustCompile(`^(.*)[-_]concurrency[_-]?([0-9]{1,9})(?:-request_rate.*)?$`)
	reRepeat = regexp.MustCompile(`^(?:run|trial)_[0-9]+$`)
)

func locate(dir, path string) located {
	rel, err := filepath.Rel(dir, filepath.Dir(path))
	if err != nil || rel == "." {
		rel = ""
	}
	var at located
	var names []string
	for _, part := range strings.Split(filepath.ToSlash(rel), "/") {
		level := reLevel.FindStringSubmatch(part)
		suffix := reSuffix.FindStringSubmatch(part)
		switch {
		case part == "" || part == "profile_runs" || reRepeat.MatchString(part):
		case level != nil:
			at.concurrency, _ = strconv.Atoi(level[1])
		case suffix != nil:
			at.concurrency, _ = strconv.Atoi(suffix[2])
			names = append(names, suffix[1])
		default:
			names = append(names, part)
		}
	}
	at.experiment = strings.Join(names, "/")
	if at.experiment == "" {
		at.experiment = base(dir)
		if level := reLevel.FindStringSubmatch(at.experiment); level != nil && at.concurrency == 0 {
			at.concurrency, _ = strconv.Atoi(level[1])
		}
	}
	return at
}

// base is the folder's own name, also for "." and "results/".
func base(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir)
}

// group makes experiments of summaries, both in order. A folder that holds one
// experiment only lends it its own, shorter name.
func group(found []located) []Experiment {
	inside := map[string]map[string]bool{}
	for _, f := range found {
		top, _, _ := strings.Cut(f.experiment, "/")
		if inside[top] == nil {
			inside[top] = map[string]bool{}
		}
		inside[top][f.experiment] = true
	}
	points := map[string]map[int][]*Loaded{}
	for _, f := range found {
		name := f.experiment
		if top, _, _ := strings.Cut(name, "/"); len(inside[top]) == 1 {
			name = top
		}
		if points[name] == nil {
			points[name] = map[int][]*Loaded{}
		}
		c := f.loaded.Concurrency
		points[name][c] = append(points[name][c], f.loaded)
	}
	var all []Experiment
	for name, levels := range points {
		e := Experiment{Name: name}
		for c, runs := range levels {
			slices.SortFunc(runs, func(a, b *Loaded) int { return strings.Compare(a.Path, b.Path) })
			e.Points = append(e.Points, Point{c, runs})
		}
		slices.SortFunc(e.Points, func(a, b Point) int { return cmp.Compare(a.Concurrency, b.Concurrency) })
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Experiment) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// pick keeps the named experiments in the order of names; all without names.
func pick(all []Experiment, names []string) ([]Experiment, error) {
	if len(names) == 0 {
		return all, nil
	}
	var out []Experiment
	var have, missing []string
	for _, e := range all {
		have = append(have, e.Name)
	}
	for _, n := range names {
		i := slices.Index(have, n)
		if i < 0 {
			missing = append(missing, strconv.Quote(n))
			continue
		}
		if !slices.ContainsFunc(out, func(e Experiment) bool { return e.Name == n }) {
			out = append(out, all[i])
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no experiment named %s; there are %s", strings.Join(missing, ", "),
			strings.Join(have, ", "))
	}
	return out, nil
}

// Place says which experiment a file below dir is of, and the concurrency that its
// folders' names say, 0 where they say none.
func Place(dir, path string) (experiment string, concurrency int) {
	at := locate(dir, path)
	return at.experiment, at.concurrency
}
