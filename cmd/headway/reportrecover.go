package main

import (
	"fmt"
	"os"
	"path/filepath"

	"headway/internal/cli"
	"headway/internal/options"
	"headway/internal/sla"
	"headway/internal/study"
)

// recover makes the results of killed runs.
func (c *reportCmd) recover(a cli.App) (int, error) {
	if info, err := os.Stat(c.Path); err != nil || !info.IsDir() {
		return cli.Usage, fmt.Errorf("%s is no folder: give the one in which a run was killed, or one above it", c.Path)
	}
	release, err := a.Claim(c.Path)
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	all, err := study.Recovery{Dir: c.Path, Overwrite: c.Overwrite}.Run()
	for _, one := range all {
		if err := c.recovered(a, one, len(all) == 1); err != nil {
			return cli.Failed, fmt.Errorf("printing the result: %w", err)
		}
	}
	if err != nil {
		return cli.Failed, err
	}
	if len(all) == 0 {
		c.note(a, "nothing to recover in %s", c.Path)
	}
	return cli.Done, nil
}

// recovered says what was recovered; the tables are those of one run.
func (c *reportCmd) recovered(a cli.App, r study.Recovered, alone bool) error {
	if r.Report == nil {
		c.note(a, "nothing of %s: no request had ended when its process was killed", r.Dir)
		return nil
	}
	c.note(a, "recovered %s: %d requests from %s", r.Dir, r.Records, filepath.Base(r.From))
	for _, text := range r.Missing {
		c.note(a, "missing: %s", text)
	}
	switch {
	case c.JSON:
		return r.Report.WriteJSON(a.Stdout)
	case c.Quiet || !alone:
		return nil
	}
	return r.Report.WriteConsole(a.Stdout, c.page(a))
}

// profiles reads what profiles of engines and searches left in a folder.
func profiles(dir string) (study.Other, error) {
	f := &sla.Folder{Dir: dir, Version: cli.Version, Name: cli.FlagOf}
	if found, err := f.Read(); !found {
		return nil, err
	}
	return f, nil
}

// decide is the exit code of objectives that were given here.
func (c *reportCmd) decide(a cli.App, disk *study.Disk) int {
	if !c.Decides() {
		return cli.Done
	}
	var all []cli.Judged
	for _, f := range disk.Found {
		for _, l := range f.Levels {
			all = append(all, cli.Judged{Where: l.Dir, Reports: l.Reports()})
		}
	}
	return a.Decide(all, options.NoLimit, !c.Quiet && !c.JSON)
}
