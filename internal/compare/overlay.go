package compare

import (
	"headway/internal/study"
	"headway/internal/study/pages"
)

// side is a side as a page shows it: its loads as one sweep, so that each side is one
// curve, whatever folders its runs are from. Loads that are no point of the sweep,
// since it has one of their concurrency, stand by themselves.
func (c contents) side(name string) pages.Named {
	sweep := study.Found{Name: name, Swept: true}
	taken := map[int]bool{}
	d := &study.Disk{Missing: c.untold}
	for _, p := range pointsOf(c.runs) {
		level := p.level()
		if level.Concurrency == 0 || taken[level.Concurrency] || p.first().pinned {
			d.Found = append(d.Found, study.Found{Name: p.label(), Levels: []study.FoundLevel{level}})
			continue
		}
		taken[level.Concurrency] = true
		sweep.Levels = append(sweep.Levels, level)
	}
	if len(sweep.Levels) > 0 {
		d.Found = append([]study.Found{sweep}, d.Found...)
	}
	return pages.Named{Name: name, Disk: d}
}

// level are the runs of a point.
func (p *point) level() study.FoundLevel {
	l := study.FoundLevel{Concurrency: p.first().report.Run.Concurrency}
	for _, r := range p.runs {
		one := r.remade
		if one == nil {
			one = &study.Remade{Report: r.report}
		}
		l.Runs = append(l.Runs, one)
	}
	return l
}
