package pages

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headway/internal/page"
	"headway/internal/study"
	"headway/report"
	"headway/report/picture"
)

// builder gathers the content of a page; several says that it is of more than one
// thing, so that titles say of which.
type builder struct {
	c       *page.Content
	several bool
	sweeps  []report.Experiment
	abouts  []string // of profiles, as the head of the page says it
}

func (b *builder) document(title string, d *report.Document, folded bool) {
	b.c.Documents = append(b.c.Documents, page.Titled{Title: title, Document: d, Folded: folded})
}

// named puts the name of what it is of before a title, where there are others.
func (b *builder) named(name, title string) string {
	if b.several && name != "" {
		return name + ": " + title
	}
	return title
}

// found adds a run, a sweep or a comparison.
func (b *builder) found(f study.Found) error {
	name := ""
	if b.several {
		name = f.Name
	}
	title := "Figures"
	if b.several {
		title = f.Name
	}
	for i, d := range f.Documents(name) {
		if i > 0 {
			title += " over all runs"
		}
		b.document(title, d, false)
	}
	b.runs(f)
	switch {
	case f.Comparison != nil:
		b.c.Pictures = append(b.c.Pictures, picture.OfComparison(f.Comparison)...)
		b.c.Command = cmp.Or(b.c.Command, f.Comparison.Secrets.Text(f.Comparison.Command))
	case f.Swept:
		return b.sweep(f)
	}
	return nil
}

// runs adds the runs, each with tables of its own where it has none yet.
func (b *builder) runs(f study.Found) {
	apart := f.Swept || f.Comparison != nil
	for _, l := range f.Levels {
		for i, r := range l.Reports() {
			name := b.named(f.Name, nameOf(f, l, i))
			one := picture.Run{Name: name, Report: r}
			b.sampled(&one, l.Runs[i])
			if !apart || i == 0 {
				b.c.Runs = append(b.c.Runs, one)
			} else {
				b.c.More = append(b.c.More, one)
			}
			if apart {
				b.document(name, report.OfRun(r, "", true), true)
			}
		}
	}
}

// nameOf is that of a run among the others.
func nameOf(f study.Found, l study.FoundLevel, run int) string {
	name := cmp.Or(f.Name, "run")
	switch {
	case f.Comparison != nil:
		name = armName(f, l)
	case f.Swept:
		name = fmt.Sprintf("concurrency %d", l.Concurrency)
	}
	if len(l.Runs) > 1 {
		name += fmt.Sprintf(", run %d", run+1)
	}
	return name
}

// armName is the load and the variant of a run of a comparison.
func armName(f study.Found, l study.FoundLevel) string {
	for _, k := range f.Comparison.Cases {
		for _, a := range k.Arms {
			if dir := filepath.FromSlash(a.Dir); a.Dir != "" && strings.HasSuffix(l.Dir, dir) {
				return k.Name + " on " + a.Name
			}
		}
	}
	return filepath.Base(l.Dir)
}

// sweep adds the pictures over its levels.
func (b *builder) sweep(f study.Found) error {
	e := report.Experiment{Name: f.Name}
	for _, l := range f.Levels {
		p := report.Point{Concurrency: l.Concurrency}
		for _, r := range l.Reports() {
			one, err := loaded(r)
			if err != nil {
				return fmt.Errorf("drawing %s: %w", f.Name, err)
			}
			p.Runs = append(p.Runs, one)
		}
		e.Points = append(e.Points, p)
	}
	b.sweeps = append(b.sweeps, e)
	return nil
}

// drawn is what has pictures beside its tables.
type drawn interface{ Pictures() []picture.Picture }

// headed is what says in a line what it is of, and whether a real engine answered.
type headed interface {
	About() string
	Simulated() bool
}

// other adds what another procedure left.
func (b *builder) other(o study.FoundOther) {
	title := "Figures"
	if b.several {
		title = o.Name
	}
	b.document(title, o.Document(), false)
	var pictures []picture.Picture
	if with, ok := o.Other.(drawn); ok {
		pictures = with.Pictures()
	}
	about := ""
	if h, ok := o.Other.(headed); ok {
		about = h.About()
		if h.Simulated() {
			b.c.Simulated++
		}
	}
	b.c.Profiles++
	b.abouts = append(b.abouts, about)
	curves, begins := alongPoints(b.pointRuns(o.Dir))
	for _, p := range append(pictures, picture.OfPoints(about, curves, begins)...) {
		if b.several {
			p = p.Under(o.Name)
		}
		b.c.Pictures = append(b.c.Pictures, p)
	}
}

// head names the page, and draws the sweeps together.
func (b *builder) head(d *study.Disk) {
	if len(b.sweeps) > 0 {
		b.experiments(b.sweeps)
	}
	var names []string
	for _, f := range d.Found {
		names = append(names, f.Name)
	}
	for _, o := range d.Others {
		names = append(names, o.Name)
	}
	b.c.Title = FolderName(d.Root)
	if len(names) == 1 {
		b.c.Title = cmp.Or(names[0], b.c.Title)
	}
	b.c.What = whatOf(d)
	if len(names) == 1 && len(b.abouts) == 1 && b.abouts[0] != "" {
		b.c.What += ": " + b.abouts[0]
	}
}

// FolderName is the name of a folder, or of the one that a file is in.
func FolderName(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	return filepath.Base(dir)
}

// whatOf says in words what was found.
func whatOf(d *study.Disk) string {
	var parts []string
	for _, f := range d.Found {
		switch {
		case f.Comparison != nil:
			parts = append(parts, "a comparison of routers")
		case f.Swept:
			parts = append(parts, fmt.Sprintf("a sweep over %d levels", len(f.Levels)))
		case len(f.Levels[0].Runs) > 1:
			parts = append(parts, fmt.Sprintf("%d runs of one load", len(f.Levels[0].Runs)))
		default:
			parts = append(parts, "one run")
		}
	}
	if n := len(d.Others); n > 0 {
		parts = append(parts, "profiles of engines")
	}
	if len(parts) > 3 {
		return fmt.Sprintf("%d results", len(parts))
	}
	return strings.Join(parts, ", ")
}
