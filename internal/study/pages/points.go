package pages

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/plain"
	"headway/report"
	"headway/report/picture"
)

// mostOfPoints is how many times a curve over all runs of a procedure has, about;
// each run has two at the least.
const mostOfPoints = 360

// pointRun is a run of a point of a profile or of a search, of which samples were
// kept.
type pointRun struct {
	// section is the folder of its phase or of its candidate, point its own there.
	section, point string
	all            *report.Timelines
}

// pointRuns are the runs below a folder of which samples were kept, in the order in
// which they were made. What cannot be read is said on the page.
func (b *builder) pointRuns(dir string) []pointRun {
	paths := telemetryBelow(dir)
	var runs []pointRun
	skipped := 0
	for _, path := range paths {
		all, err := timelines(path, max(2, mostOfPoints/len(paths)))
		if err != nil {
			b.c.Untold = append(b.c.Untold, fmt.Sprintf("What was sampled in a run is not drawn: %v", err))
		}
		if all == nil {
			continue
		}
		skipped += all.Skipped
		section, point := pointOf(dir, path)
		runs = append(runs, pointRun{section, point, all})
	}
	if skipped > 0 {
		b.c.Untold = append(b.c.Untold, fmt.Sprintf("Of what was sampled in the runs of %s, %s cannot be read.",
			filepath.Base(dir), plain.HowMany(skipped, "line", "lines")))
	}
	slices.SortStableFunc(runs, func(a, b pointRun) int { return a.all.Origin.Compare(b.all.Origin) })
	return runs
}

// telemetryBelow are the files of samples below a folder. Hidden folders are what is
// about to be removed.
func telemetryBelow(dir string) (paths []string) {
	name := report.FileNames("").Telemetry
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error { // it returns no error
		switch {
		case err != nil:
			return nil // what cannot be listed has no samples to draw
		case e.IsDir() && path != dir && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case !e.IsDir() && (e.Name() == name || strings.HasSuffix(e.Name(), "_"+name)):
			paths = append(paths, path)
		}
		return nil
	})
	return paths
}

// pointOf says of which point the run is that a file of samples is of:
// <dir>/<section>/<point>/<run>.
func pointOf(dir, path string) (section, point string) {
	rel, err := filepath.Rel(dir, filepath.Dir(filepath.Dir(path)))
	if err != nil {
		return "", filepath.Base(path)
	}
	section, point, _ = strings.Cut(filepath.ToSlash(rel), "/")
	if phase, ok := strings.CutSuffix(section, "_points"); ok {
		return phase, point
	}
	return section, strings.Trim(section+" "+point, " ")
}

// alongPoints are the curves of what was sampled in runs, which stand one after the
// other: between them nothing was sampled, and they can be of different days. Sections
// begin where one follows on another.
func alongPoints(runs []pointRun) (curves []picture.Over, begins []picture.Begin) {
	var every []report.Timeline
	for _, r := range runs {
		every = append(every, r.all.All...)
	}
	apart := sources(every)
	at := 0.
	for i, r := range runs {
		first, last := ends(r.all.All)
		if i == 0 || runs[i-1].section != r.section {
			begins = append(begins, picture.Begin{Name: plain.Line(r.section), At: at})
		}
		for _, c := range curvesOf(r.all, apart, at-first) {
			curves = joined(curves, c, plain.Line(r.point))
		}
		at += last - first
	}
	return curves, begins
}

// ends are the first and the last time of timelines, 0 without any.
func ends(all []report.Timeline) (first, last float64) {
	for i, t := range all {
		if n := len(t.Times); n > 0 {
			if i == 0 {
				first = t.Times[0]
			}
			first, last = min(first, t.Times[0]), max(last, t.Times[n-1])
		}
	}
	return first, last
}

// joined adds a curve of a run to the one that goes on with it.
func joined(curves []picture.Over, c picture.Over, point string) []picture.Over {
	c.Points = slices.Repeat([]string{point}, len(c.At))
	i := slices.IndexFunc(curves, func(o picture.Over) bool { return o.Title == c.Title && o.Name == c.Name })
	if i < 0 {
		return append(curves, c)
	}
	o := &curves[i]
	o.At, o.Values = append(o.At, c.At...), append(o.Values, c.Values...)
	o.Points = append(o.Points, c.Points...)
	return curves
}
