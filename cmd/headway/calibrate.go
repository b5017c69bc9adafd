package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"headway/internal/audit"
	"headway/internal/calibrate"
	"headway/internal/cli"
	"headway/report"
)

// calibrateCmd measures the client's side of a measurement.
type calibrateCmd struct {
	Quick bool  `name:"quick" help:"Measure fewer and shorter rounds: about ten seconds instead of a minute."`
	JSON  bool  `name:"json" help:"Print the result as JSON on standard output."`
	Keep  *bool `name:"keep" negatable:"" help:"Keep the result for later runs. Default: unless the machine was busy; --no-keep only prints it."`
	Quiet bool  `name:"quiet" short:"q" help:"No progress."`
}

// Help is shown below the options.
func (calibrateCmd) Help() string {
	return `headway starts a server of its own on loopback, drives it as hard as both can, and
writes down what was carried. Later runs say when their load came near it. Nothing
else should be busy on the machine meanwhile. The file is headway/calibration.json in
the user's cache folder; HEADWAY_CALIBRATION names another.

Examples:

  headway calibrate
  headway calibrate --quick --json
  HEADWAY_CALIBRATION=/var/lib/headway/box7.json headway calibrate`
}

func (c *calibrateCmd) Run(ctx context.Context, a cli.App) (int, error) {
	keep := c.Keep == nil || *c.Keep
	path, err := audit.CalibrationPath(a.Environ)
	if err != nil && keep {
		return cli.Failed, err
	}
	self, err := os.Executable()
	if err != nil {
		return cli.Failed, fmt.Errorf("finding this program, which is the server too: %w", err)
	}
	o := calibrate.Options{Quick: c.Quick, Command: []string{self, "calibrate-server"}}
	if !c.Quiet {
		o.Progress = func(what string) { a.Note("%s", what) }
		a.Note("calibrating takes about %v; nothing else should be busy on this machine meanwhile", o.About())
	}
	found, err := calibrate.Run(ctx, o)
	if err != nil {
		return cli.Failed, err
	}
	kept := found.Calibration(time.Now())
	if path, err = c.store(a, path, kept); err != nil {
		return cli.Failed, err
	}
	if c.JSON {
		return cli.Done, report.WriteIndented(a.Stdout, calibrate.Document{Calibration: kept, Found: found})
	}
	_, err = io.WriteString(a.Stdout, found.Text(path))
	return cli.Done, err
}

// store keeps a calibration and says where; "" where it is not kept. A floor that
// other programs have lowered would call runs doubtful that are not.
func (c *calibrateCmd) store(a cli.App, path string, found audit.Calibration) (string, error) {
	switch {
	case c.Keep != nil && !*c.Keep:
		return "", nil
	case c.Keep == nil && found.Noisy:
		a.Note("warning: not kept, since the machine was busy: later runs would be called doubtful that are not. " +
			"Calibrate again when it is idle; --keep keeps it all the same")
		return "", nil
	}
	return path, found.Save(path)
}

// carriedCmd is the server's process of calibrate.
type carriedCmd struct{}

func (carriedCmd) Run(_ context.Context, a cli.App) (int, error) {
	if err := calibrate.Serve(os.Stdin, a.Stdout); err != nil {
		return cli.Failed, err
	}
	return cli.Done, nil
}

// ServesUntilInterrupted: an interrupt of the terminal's is its parent's, which
// ends it.
func (carriedCmd) ServesUntilInterrupted() {}
