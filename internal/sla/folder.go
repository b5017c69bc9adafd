package sla

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/internal/profile"
	"headway/report"
	"headway/report/picture"
)

// Kinds say of the files by which a folder of this package is known what it is of: a
// profile or a search.
func Kinds() map[string]string {
	return map[string]string{
		ResultName: "search",
		profile.PointsName(profile.Prefill) + ".jsonl": "profile",
		profile.PointsName(profile.Decode) + ".jsonl":  "profile",
	}
}

// Folder is what profiles and searches have left in a folder: the result of a
// search, what was measured in depth, or both.
type Folder struct {
	Dir string
	// Version is that of the program, Name what options are called there.
	Version string
	Name    func(fault.Field) string

	result *Result
	halves []profile.KeptHalf
	untold []string
	// unfinished says that the result is made of outcomes.
	unfinished bool
}

// Read takes what the folder has; found is false where it has nothing of the kind.
// A file that cannot be read is an error where there is nothing else.
func (f *Folder) Read() (found bool, err error) {
	var faults []error
	r, err := ReadResult(f.Dir)
	switch {
	case err == nil:
		f.result = &r
		f.untold = append(f.untold, r.Untold()...)
	case errors.Is(err, fs.ErrNotExist):
		faults = f.readUnfinished(faults)
	default:
		faults = append(faults, err)
	}
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		half, err := profile.ReadHalf(f.Dir, p)
		switch {
		case err == nil:
			f.halves = append(f.halves, half)
			f.untold = append(f.untold, half.Untold...)
		case !errors.Is(err, fs.ErrNotExist):
			faults = append(faults, err)
		}
	}
	if f.result == nil && len(f.halves) == 0 {
		return false, errors.Join(faults...)
	}
	for _, err := range faults {
		f.untold = append(f.untold, err.Error())
	}
	f.runs()
	return true, nil
}

// readUnfinished takes what a search has measured that came to no end.
func (f *Folder) readUnfinished(faults []error) []error {
	r, untold, err := readUnfinished(f.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for _, text := range untold {
			faults = append(faults, errors.New(text))
		}
		return faults
	case err != nil:
		return append(faults, err)
	}
	f.result, f.unfinished, f.untold = &r, true, append(f.untold, untold...)
	f.untold = append(f.untold, fault.Text(f.Name,
		"the search in %s has not come to its end: there are no deployments, "+
			"and the picks are those so far; the same call with %s goes on", f.Dir, resume))
	return faults
}

// runs says where the runs of points are.
func (f *Folder) runs() {
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		dir := filepath.Join(f.Dir, profile.PointsName(p))
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			f.untold = append(f.untold,
				fmt.Sprintf("The runs of the %s points: `headway report %s` shows them.", p, dir))
		}
	}
}

// Untold says what the folder does not tell, or what is not shown, a sentence each.
func (f *Folder) Untold() []string { return f.untold }

// Document is what the commands printed that left the folder.
func (f *Folder) Document() *report.Document {
	d := &report.Document{}
	if f.result != nil {
		d.Append(f.result.Document(f.Name))
	}
	for i, h := range f.halves {
		if f.result != nil || i > 0 {
			d.Gap()
		}
		if f.result != nil || len(f.halves) > 1 {
			d.Line("%s in depth", h.Phase)
		}
		d.Append(h.Document())
	}
	return d
}

// JSON is what the commands printed with --json: of one thing itself, of several an
// object with each under its name.
func (f *Folder) JSON() any {
	all := map[string]any{}
	var one any
	if f.result != nil {
		one = f.result
		all["search"] = one
	}
	for _, h := range f.halves {
		one = h.Half
		all[string(h.Phase)] = one
	}
	if len(all) == 1 {
		return one
	}
	return all
}

// Write makes the files again in a folder: pictures, tables and arrays. What an
// array alone is left of is not written, nor are the deployments of a search, which
// need its options.
func (f *Folder) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the result folder: %w", err)
	}
	if f.result != nil && !f.unfinished {
		if err := f.result.WritePictures(dir, f.Name); err != nil {
			return err
		}
	}
	for _, h := range f.halves {
		if h.Bare {
			continue
		}
		if err := h.WriteFiles(dir, f.about(&h)); err != nil {
			return err
		}
	}
	return nil
}

// Pictures are those of the result and of what was measured in depth.
func (f *Folder) Pictures() []picture.Picture {
	var all []picture.Picture
	if f.result != nil {
		all = f.result.pictures(f.Name).All()
	}
	for _, h := range f.halves {
		all = append(all, h.Pictures(f.about(&h))...)
	}
	return all
}

// About says in a line what was searched or profiled: the model, where it ran, and how.
func (f *Folder) About() string {
	if f.result != nil {
		title, note := f.result.captions(f.Name)
		return title + " · " + note
	}
	var all, own []string
	for i, h := range f.halves {
		for _, part := range strings.Split(h.About(f.Version, f.Name), " · ") {
			switch {
			case f.common(part):
				if i == 0 {
					all = append(all, part)
				}
			case part != "":
				own = append(own, fmt.Sprintf("%s: %s", h.Phase, part))
			}
		}
	}
	return strings.Join(append(all, own...), " · ")
}

// Simulated says that no real engine answered.
func (f *Folder) Simulated() bool { return f.result != nil && f.result.Simulated }

// common says that a part of what is said under pictures is said of all halves.
func (f *Folder) common(part string) bool {
	for _, h := range f.halves {
		if !slices.Contains(strings.Split(h.About(f.Version, f.Name), " · "), part) {
			return false
		}
	}
	return part != ""
}

// about is what is said under the pictures of a half.
func (f *Folder) about(h *profile.KeptHalf) string {
	if f.result == nil {
		return h.About(f.Version, f.Name)
	}
	title, note := f.result.captions(f.Name)
	mapping := ""
	for _, p := range f.result.halves() {
		if p.phase == h.Phase && p.picked {
			mapping = p.pick.Mapping.String()
		}
	}
	return inDepthAbout(title, mapping, note)
}

// inDepthAbout is what is said under the pictures of a picked worker in depth.
func inDepthAbout(title, mapping, note string) string {
	return title + " · " + mapping + " · " + note
}
