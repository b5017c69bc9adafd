package study

import (
	"path/filepath"

	"headway/report"
)

// RunsIn is what lies in a folder after runs of one load were made there, without
// reading it again. It can be shown, and not written: its files are there.
// prefix is that of the files' names.
func RunsIn(dir, prefix string, reports []*report.Report) *Disk {
	f := Found{Name: folderOf(dir), Levels: []FoundLevel{levelOf(dir, 0, reports, folderOfRun)}}
	for _, r := range f.Levels[0].Runs {
		r.Names = report.FileNames(prefix)
	}
	if len(reports) == 0 {
		return &Disk{Root: dir}
	}
	return &Disk{Root: dir, Found: []Found{f}}
}

// SweepIn is the same of a sweep.
func SweepIn(dir string, levels []Level) *Disk {
	if len(levels) == 0 {
		return &Disk{Root: dir}
	}
	f := Found{Name: folderOf(dir), Swept: true}
	for _, l := range levels {
		f.Levels = append(f.Levels, levelOf(l.Dir, l.Concurrency, l.Reports, folderOfRun))
	}
	return &Disk{Root: dir, Found: []Found{f}}
}

// ComparisonIn is the same of a comparison of routers.
func ComparisonIn(dir string, c *report.Comparison) *Disk {
	f := Found{Name: "router " + c.Benchmark, Comparison: c, dir: dir}
	for _, k := range c.Cases {
		for _, a := range k.Arms {
			at := filepath.Join(dir, filepath.FromSlash(a.Dir))
			f.Levels = append(f.Levels, levelOf(at, 0, a.Runs(), belowTheFirst))
		}
	}
	return &Disk{Root: dir, Found: []Found{f}}
}

// levelOf are the runs of a level, run i of n in the folder that where says.
func levelOf(dir string, concurrency int, reports []*report.Report,
	where func(dir string, i, n int) string) FoundLevel {
	l := FoundLevel{Dir: dir, Concurrency: concurrency}
	for i, r := range reports {
		l.Runs = append(l.Runs, &Remade{Dir: where(dir, i, len(reports)), Names: report.FileNames(""), Report: r})
	}
	return l
}

// belowTheFirst is where repeats of a router's run lie.
func belowTheFirst(dir string, i, _ int) string {
	if i == 0 {
		return dir
	}
	return RepeatDir(dir, i)
}

// folderOf is the name of a folder, whole or not.
func folderOf(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return filepath.Base(dir)
}
