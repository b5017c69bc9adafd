package main

import (
	"headway/internal/cli"
	"headway/internal/study"
	"headway/internal/study/pages"
	"headway/report"
)

// leavePage writes report.html of what was measured into its folder. Without it the
// results are as good: what keeps it from being written is said and is no failure.
func leavePage(a cli.App, d *study.Disk, prefix string) {
	pages.Leave(report.FileNames(prefix).Page, d, cli.Version, a.Note)
}

// leaveProfile does the same of the profiles or the search that a folder holds.
func leaveProfile(a cli.App, dir string) {
	d := &study.Disk{Root: dir}
	if o, err := profiles(dir); err == nil && o != nil {
		d.Others = []study.FoundOther{{Name: pages.FolderName(dir), Dir: dir, Other: o}}
	}
	leavePage(a, d, "")
}
