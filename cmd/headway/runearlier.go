package main

import (
	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/study"
	"headway/report"
)

// earlier refuses a folder that holds a run which nobody said may be replaced.
// Under the name aiperf the same command writes to the same folder each time,
// where scripts look for the newest result.
func (c *runCmd) earlier(a cli.App, dir string) error {
	switch holds := study.HoldsRun(dir, report.FileNames(c.Prefix)); {
	case !holds:
	case !a.AsAiperf && !c.Overwrite:
		return fault.Usage(fault.New("%s %w: %s replaces it, %s names another folder", dir, study.ErrHasResults,
			fault.Field("overwrite"), fault.Field("artifact-dir")))
	case !c.Quiet:
		a.Note("note: %s holds an earlier run, which this one replaces once a request was answered; "+
			"--artifact-dir names another folder", dir)
	}
	return nil
}

// told says where the results are.
func (c *runCmd) told(a cli.App, dir string) {
	if !c.Quiet {
		a.Note("results: %s", dir)
	}
}
