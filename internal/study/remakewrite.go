package study

import (
	"fmt"
	"path/filepath"
	"slices"

	"headway/report"
)

// Write makes the files of everything that was found: those of each run, the
// aggregate of repeats, the summary and pictures of a comparison. They go below
// out as what they are made of lies below Root; the two may be the same folder.
// Pictures of sweeps are drawn by picture.Plot, of the files; draw writes a comparison's
// summary and pictures into a folder, as picture.WriteComparison does.
func (d *Disk) Write(out string, draw func(dir string, c *report.Comparison) ([]string, error)) error {
	root := d.Root
	for _, f := range d.Found {
		for _, l := range f.Levels {
			if err := l.write(root, out); err != nil {
				return err
			}
		}
		if f.Comparison != nil {
			dir, err := below(f.dir, root, out)
			if err != nil {
				return err
			}
			if _, err := draw(dir, f.Comparison); err != nil {
				return err
			}
		}
	}
	return d.writeOthers(out)
}

func (l FoundLevel) write(root, out string) error {
	repeats := false
	for _, r := range l.Runs {
		dir, err := below(r.Dir, root, out)
		if err != nil {
			return err
		}
		if err := r.Write(dir); err != nil {
			return err
		}
		repeats = repeats || levelDir(r.Dir) != r.Dir
	}
	if !repeats {
		return nil
	}
	dir, err := below(l.Dir, root, out)
	if err != nil {
		return err
	}
	k := l.Runs[0].kept
	all := Repeat{Dir: dir, Runs: l.planned(), Confidence: k.Confidence, Cooldown: k.Cooldown}
	return all.aggregate(l.Reports())
}

// planned is how many runs there were to be: those that are there, where they ended by
// themselves.
func (l FoundLevel) planned() int {
	k := l.Runs[0].kept
	if len(k.Until) > 0 {
		return len(l.Runs)
	}
	return max(k.Runs, len(l.Runs))
}

// Confidence is that of intervals over the runs, as it was asked for.
func (l FoundLevel) Confidence() float64 { return l.Runs[0].kept.Confidence }

// Missing says what the files of the level do not tell, each once.
func (l FoundLevel) Missing() []string {
	var all []string
	for _, r := range l.Runs {
		for _, text := range r.Missing {
			all = append(all, r.Dir+": "+text)
		}
	}
	if n := l.planned(); levelDir(l.Runs[0].Dir) != l.Runs[0].Dir && n > len(l.Runs) {
		all = append(all, fmt.Sprintf("%s: %d of %d runs were not made", l.Dir, n-len(l.Runs), n))
	}
	return all
}

// below is the place below out of a folder below root.
func below(dir, root, out string) (string, error) {
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return "", fmt.Errorf("placing the results of %s: %w", dir, err)
	}
	return filepath.Join(out, rel), nil
}

// Sweep gives the levels as a sweep does.
func (f Found) Sweep() []Level {
	var all []Level
	for _, l := range f.Levels {
		all = append(all, Level{Concurrency: l.Concurrency, Reports: l.Reports(), Dir: l.Dir})
	}
	return all
}

// Rows are the levels as tables have them.
func (f Found) Rows() []report.Level {
	var all []report.Level
	for _, l := range f.Levels {
		all = append(all, report.Level{Runs: l.Reports()})
	}
	return all
}

// Swept says whether there is a sweep.
func (d *Disk) Swept() bool {
	return slices.ContainsFunc(d.Found, func(f Found) bool { return f.Swept })
}

// Untold says what could not be read or computed again, a sentence each.
func (d *Disk) Untold() []string {
	all := slices.Clone(d.Missing)
	for _, f := range d.Found {
		for _, l := range f.Levels {
			all = append(all, l.Missing()...)
		}
		if f.Comparison != nil && f.Comparison.Benchmark == "priority" && !f.tiered() {
			all = append(all, f.dir+
				": what each tier met: the records do not tell which requests were in which tier")
		}
	}
	for _, o := range d.Others {
		all = append(all, o.Untold()...)
	}
	const shown = ", so that figures are shown as they are, without intervals, objectives and warnings"
	switch n := len(d.Summaries); {
	case n == 1:
		all = append(all, d.Summaries[0]+": there is no file of requests beside it"+shown)
	case n > 1:
		all = append(all, fmt.Sprintf("%s and %d more summaries: there is no file of requests "+
			"beside them%s", d.Summaries[0], n-1, shown))
	}
	return all
}

// tiered says whether an arm has its tiers.
func (f Found) tiered() bool {
	return slices.ContainsFunc(f.Comparison.Cases, func(k report.Case) bool {
		return slices.ContainsFunc(k.Arms, func(a report.Arm) bool { return len(a.Tiers) > 0 })
	})
}
