package study

import (
	"path/filepath"

	"headway/report"
)

// Other is what a procedure left in a folder that is no run, sweep or comparison: a
// profile of an engine, a search. Package sla has it; study knows none of them.
type Other interface {
	// Document is its tables, JSON the same for machines.
	Document() *report.Document
	JSON() any
	// Write makes its files again in a folder, which may be the one it lies in.
	Write(dir string) error
	// Untold says what could not be read or is not shown, a sentence each.
	Untold() []string
}

// FoundOther is an Other and its place.
type FoundOther struct {
	Name, Dir string
	Other
}

// other looks for what another procedure left in a folder. What lies below belongs
// to it, and is not looked at.
func (m Remake) other(dir string, d *Disk) bool {
	if m.Others == nil {
		return false
	}
	o, err := m.Others(dir)
	if err != nil {
		d.Missing = append(d.Missing, err.Error())
	}
	if o == nil {
		return false
	}
	name, err := filepath.Rel(d.Root, dir)
	if err != nil || name == "." {
		name = filepath.Base(dir)
	}
	d.Others = append(d.Others, FoundOther{Name: name, Dir: dir, Other: o})
	return true
}

// writeOthers makes their files below out.
func (d *Disk) writeOthers(out string) error {
	for _, o := range d.Others {
		dir, err := below(o.Dir, d.Root, out)
		if err != nil {
			return err
		}
		if err := o.Write(dir); err != nil {
			return err
		}
	}
	return nil
}
