// Package pages puts what was measured on one page: report.html of a run, a sweep,
// a comparison, a profile or a search, or of all that lies in a folder. It picks
// tables, pictures and requests; package page writes them.
//
// A page is beside the results and never in their way: [Leave] writes it last, and a
// page that cannot be written is a note.
package pages

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"headway/internal/page"
	"headway/internal/study"
	"headway/report"
	"headway/report/picture"
)

// Leave writes the page of a folder of results into it. One that cannot be written
// is removed, so that a page of earlier results does not stand beside new ones, and
// note says so.
func Leave(name string, d *study.Disk, version string, note func(format string, args ...any)) {
	if d.Root == "" || len(d.Found)+len(d.Others) == 0 {
		return
	}
	path := filepath.Join(d.Root, name)
	if err := Write(path, d, version); err != nil {
		note("warning: %s is missing: %v", path, errors.Join(err, gone(os.Remove(path))))
	}
}

// LeaveIn is [Leave] of another folder than the results lie in, under the usual name.
func LeaveIn(dir string, d *study.Disk, version string, note func(format string, args ...any)) {
	at := *d
	at.Root = dir
	Leave(report.FileNames("").Page, &at, version, note)
}

// gone is nil where there was nothing to remove.
func gone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Write writes the page of all that was found into a file.
func Write(path string, d *study.Disk, version string) error {
	c, err := content(d, version)
	if err != nil {
		return err
	}
	return report.WriteFile(path, c.Write)
}

// WriteTo writes the page of all that was found.
func WriteTo(w io.Writer, d *study.Disk, version string) error {
	c, err := content(d, version)
	if err != nil {
		return err
	}
	return c.Write(w)
}

// content is what stands on the page of a folder.
func content(d *study.Disk, version string) (page.Content, error) {
	c := page.Content{Version: version, Untold: d.Untold()}
	b := builder{c: &c, several: len(d.Found)+len(d.Others)+len(d.Summaries) > 1}
	for _, f := range d.Found {
		if err := b.found(f); err != nil {
			return c, err
		}
	}
	for _, o := range d.Others {
		b.other(o)
	}
	if err := b.summaries(d); err != nil {
		return c, err
	}
	b.head(d)
	return c, nil
}

// summaries are the tables of files that have no requests beside them.
func (b *builder) summaries(d *study.Disk) error {
	if len(d.Summaries) == 0 {
		return nil
	}
	all, _, err := report.Tree(d.Root, nil)
	if err != nil {
		return fmt.Errorf("making a page of %s: %w", d.Root, err)
	}
	b.document("Summary", report.OfExperiments(all, 0), false)
	b.experiments(all)
	return nil
}

// experiments adds the pictures of sweeps, as many as can be told apart.
func (b *builder) experiments(all []report.Experiment) {
	if len(all) > mostDrawn {
		b.c.Untold = append(b.c.Untold,
			fmt.Sprintf("The pictures have the first %d of %d sweeps.", mostDrawn, len(all)))
		all = all[:mostDrawn]
	}
	b.c.Pictures = append(b.c.Pictures, picture.OfExperiments(all, picture.Options{
		See: "their sentences are below the tables"})...)
}

// mostDrawn is how many series a picture has at most.
const mostDrawn = 12

// loaded is a run as it is read from its file.
func loaded(r *report.Report) (*report.Loaded, error) {
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		return nil, err
	}
	return report.Read(&b, r.Run.ID)
}
