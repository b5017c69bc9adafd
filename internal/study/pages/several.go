package pages

import (
	"cmp"
	"fmt"
	"io"

	"headway/internal/page"
	"headway/internal/study"
	"headway/report"
)

// Named is what lies in a folder, under the name that tells it from others.
type Named struct {
	Name string
	Disk *study.Disk
}

// Beside is a page of several folders: their tables one below the other, a table of
// all loads, and each picture with all of them in it.
type Beside struct {
	All []Named
	// Title and First, where they are set, name the page and stand at its head.
	Title   string
	First   *report.Document
	Links   []page.Link
	Version string
}

// Write writes the page.
func (s Beside) Write(w io.Writer) error {
	c := page.Content{Version: s.Version, Links: s.Links, Title: fmt.Sprintf("%d results", len(s.All))}
	if len(s.All) == 1 {
		c.Title = s.All[0].Name
	}
	c.Title = cmp.Or(s.Title, c.Title)
	b := builder{c: &c, several: len(s.All) > 1}
	for _, n := range s.All {
		if err := b.beside(n); err != nil {
			return err
		}
	}
	if len(b.sweeps) > 0 {
		if b.several {
			b.c.Documents = append([]page.Titled{{Title: "All loads", Document: report.OfLoads(b.sweeps, 0)}},
				b.c.Documents...)
		}
		b.experiments(b.sweeps)
	}
	if s.First != nil {
		c.Documents = append([]page.Titled{{Title: "Changes", Document: s.First}}, c.Documents...)
	}
	return c.Write(w)
}

// beside adds what lies in one folder, under its name.
func (b *builder) beside(n Named) error {
	many := len(n.Disk.Found)+len(n.Disk.Others) > 1
	b.c.Untold = append(b.c.Untold, n.Disk.Untold()...)
	for _, f := range n.Disk.Found {
		f.Name = nameIn(n.Name, f.Name, many)
		if err := b.found(f); err != nil {
			return err
		}
		if err := b.point(f); err != nil {
			return err
		}
	}
	for _, o := range n.Disk.Others {
		o.Name = nameIn(n.Name, o.Name, many)
		b.other(o)
	}
	if len(n.Disk.Summaries) == 0 || len(n.Disk.Found) > 0 {
		return nil
	}
	all, _, err := report.Tree(n.Disk.Root, nil)
	if err != nil {
		return fmt.Errorf("making a page of %s: %w", n.Name, err)
	}
	for i := range all {
		all[i].Name = nameIn(n.Name, all[i].Name, len(all) > 1)
	}
	b.document(n.Name, report.OfExperiments(all, 0), false)
	b.sweeps = append(b.sweeps, all...)
	return nil
}

// point draws a run that is no level of a sweep among the sweeps: one load is a point
// of a picture, too.
func (b *builder) point(f study.Found) error {
	if f.Swept || f.Comparison != nil {
		return nil
	}
	level := f.Levels[0]
	level.Concurrency = level.Reports()[0].Run.Concurrency
	if level.Concurrency == 0 {
		return nil
	}
	f.Levels = []study.FoundLevel{level}
	return b.sweep(f)
}

// nameIn is the name of one of the things of a folder.
func nameIn(folder, name string, many bool) string {
	if many {
		return folder + ", " + name
	}
	return folder
}
