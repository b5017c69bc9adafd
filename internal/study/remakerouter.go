package study

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"headway/report"
)

// comparison reads a folder of the router benchmark: what was compared is in its
// summary, what came of it in the records of each run. It is nil where the folder
// is of something else.
func (m Remake) comparison(dir string) (*Found, error) {
	path := filepath.Join(dir, report.ComparisonName)
	c, err := report.LoadComparison(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, report.ErrNoComparison) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := &Found{Name: "router " + c.Benchmark, Comparison: c, dir: dir}
	for i := range c.Cases {
		for j := range c.Cases[i].Arms {
			l, err := m.arm(dir, &c.Cases[i].Arms[j])
			if err != nil {
				return nil, err
			}
			found.Levels = append(found.Levels, l)
		}
	}
	return found, nil
}

// arm reads the runs of an arm.
func (m Remake) arm(dir string, a *report.Arm) (FoundLevel, error) {
	l := FoundLevel{Dir: filepath.Join(dir, filepath.FromSlash(a.Dir))}
	for i := range 1 + len(a.Repeats) {
		at := l.Dir
		if i > 0 {
			at = RepeatDir(at, i)
		}
		one, err := m.Records(filepath.Join(at, report.FileNames("").Records))
		if err != nil {
			return l, err
		}
		l.Runs = append(l.Runs, one)
		if i > 0 {
			a.Repeats[i-1] = one.Report
			continue
		}
		a.Report = one.Report
		if a.Tiers, err = one.tiers(); err != nil {
			return l, err
		}
	}
	return l, nil
}

// RepeatDir is the folder of the n-th repeat from 0 of what is in dir.
func RepeatDir(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("repeat_%d", n+1)) }
