package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"headway/internal/audit"
	"headway/internal/calibrate"
)

// calibrateCmd measures the client's side of a measurement.
type calibrateCmd struct {
	Quick bool  `name:"quick" help:"Measure for about eight seconds instead of twenty."`
	JSON  bool  `name:"json" help:"Print the result as JSON on standard output."`
	Keep  *bool `name:"keep" negatable:"" help:"Keep the result for later runs. Default: unless it is of a busy machine and a better one is kept; --no-keep only prints it."`
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

func (c *calibrateCmd) run(ctx context.Context, a app) (int, error) {
	keep := c.Keep == nil || *c.Keep
	path, err := audit.CalibrationPath(a.environ)
	if err != nil && keep {
		return exitFailed, err
	}
	self, err := os.Executable()
	if err != nil {
		return exitFailed, fmt.Errorf("finding this program, which is the server too: %w", err)
	}
	o := calibrate.Options{Quick: c.Quick, Command: []string{self, "calibrate-server"}}
	if !c.Quiet {
		o.Progress = func(what string) { a.note("%s", what) }
	}
	found, err := calibrate.Run(ctx, o)
	if err != nil {
		return exitFailed, err
	}
	kept := found.Calibration(time.Now())
	better := (*audit.Calibration)(nil)
	if c.Keep == nil {
		better = betterKept(path, kept)
	}
	switch {
	case better != nil:
		a.note("warning: not kept, since the machine was busy: %s has a calibration of %s with %.0f events/s and %.0f requests/s, when it was not; --keep replaces it",
			path, better.Made.Format(time.DateTime), better.EventsPerSecond, better.RequestsPerSecond)
		path = ""
	case !keep:
		path = ""
	default:
		if err := kept.Save(path); err != nil {
			return exitFailed, err
		}
	}
	if c.JSON {
		return exitDone, writeCalibration(a.stdout, kept, found)
	}
	return exitDone, showCalibration(a.stdout, found, path)
}

// betterKept is the calibration at path where a new one must not take its place
// unasked: it is of this machine when that was idle, and the new one is of when
// it was not. A floor that other programs have lowered would call runs doubtful
// that are not.
func betterKept(path string, now audit.Calibration) *audit.Calibration {
	if !now.Noisy {
		return nil
	}
	was, err := audit.LoadCalibration(path)
	if err != nil || was == nil || was.Noisy {
		return nil // Save says what is wrong with the place
	}
	return was
}

// writeCalibration prints what is kept, and how it was found.
func writeCalibration(w io.Writer, kept audit.Calibration, found calibrate.Found) error {
	text, err := json.MarshalIndent(struct {
		audit.Calibration
		Found calibrate.Found `json:"found"`
	}{kept, found}, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the calibration: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// showCalibration prints what was found for a reader. path is where it is kept,
// empty where it is not.
func showCalibration(w io.Writer, f calibrate.Found, path string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "What this machine can carry: %d processors, %s/%s, %s; client and server share them.\n", runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fmt.Fprintf(&b, "Medians of %d repeats, lowest and highest in brackets.\n\n", f.Repeats)
	row := func(name, value, note string) {
		line := fmt.Sprintf("  %-22s %-34s %s", name, value, note)
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
	}
	row("events/s", spreadText(f.Events, 1, "%.0f"), fmt.Sprintf("on %d streams; more was not carried: %s", f.Streams, f.Limit))
	row("requests/s", spreadText(f.Requests, 1, "%.0f"), "short ones, 64 at a time")
	bound := "no bound met, no more were tried"
	if f.Bound != "" {
		bound, _, _ = strings.Cut(f.Bound, ": run ") // what to do about it is no figure
	}
	row("streams", fmt.Sprint(f.Opened), bound)
	if f.CPU.Median > 0 {
		row("CPU of an event", spreadText(f.CPU, 1e6, "%.2f")+" µs", "of this process")
	}
	for _, q := range []struct {
		name string
		s    calibrate.Spread
	}{{"p50", f.P50}, {"p99", f.P99}, {"p99.9", f.P999}} {
		row("error of a stamp "+q.name, spreadText(q.s, 1e6, "%.1f")+" µs", "")
	}
	row("read together", spreadText(f.Together, 100, "%.2f")+" %", "")
	if f.User.Median > 0 {
		row("stamped in user space", spreadText(f.User, 100, "%.2f")+" %", "")
	}
	fmt.Fprint(&b, "\nThe error is arrival less send time. On loopback the kernel stamps a packet inside the\n"+
		"sender's call of send; behind a network card its interrupt is added, which is not measured here.\n")
	if !f.Steady() {
		fmt.Fprintf(&b, "Warning: something else is busy on this machine (%.1f of its processors), or the repeats differ by a third\n"+
			"or more. Calibrate again when it is idle; until then runs may be called doubtful that are not.\n", f.Others)
	}
	if path != "" {
		fmt.Fprintf(&b, "Kept in %s; later runs compare their load with it.\n", path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// spreadText is a median with its range, in another unit.
func spreadText(s calibrate.Spread, scale float64, format string) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", scale*s.Median, scale*s.Lowest, scale*s.Most)
}

// carriedCmd is the server's process of calibrate.
type carriedCmd struct{}

func (carriedCmd) run(_ context.Context, a app) (int, error) {
	if err := calibrate.Serve(os.Stdin, a.stdout); err != nil {
		return exitFailed, err
	}
	return exitDone, nil
}

// servesUntilInterrupted: an interrupt of the terminal's is its parent's, which
// ends it.
func (carriedCmd) servesUntilInterrupted() {}
