package calibrate

import (
	"fmt"
	"runtime"
	"strings"

	"headway/internal/audit"
)

// Document is a calibration as JSON: what is kept, and how it was found.
type Document struct {
	audit.Calibration
	Found Found `json:"found"`
}

// Text is what was found, for a reader. path is where it is kept, empty where it is
// not.
func (f Found) Text(path string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "What this machine can carry: %d processors, %s/%s, %s; client and server share them.\n",
		runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fmt.Fprintf(&b, "Medians of %d repeats, lowest and highest in brackets.\n\n", f.Repeats)
	f.rows(&b)
	fmt.Fprint(&b, "\nThe error is arrival less send time. On loopback the kernel stamps a packet inside the\n"+
		"sender's call of send; behind a network card its interrupt is added, which is not measured here.\n")
	if !f.Steady() {
		fmt.Fprintf(&b,
			"Warning: something else is busy on this machine (%.1f of its processors), or the repeats differ by a "+
				"third\n"+
				"or more. It carries more than this when it is idle.\n", f.Others)
	}
	if path != "" {
		fmt.Fprintf(&b, "Kept in %s; later runs compare their load with it.\n", path)
	}
	return b.String()
}

// rows are the figures.
func (f Found) rows(b *strings.Builder) {
	row := func(name, value, note string) {
		line := fmt.Sprintf("  %-22s %-34s %s", name, value, note)
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
	row("events/s", f.Events.text(1, "%.0f"),
		fmt.Sprintf("on %d streams; more was not carried: %s", f.Streams, f.Limit))
	row("requests/s", f.Requests.text(1, "%.0f"), "short ones, 64 at a time")
	bound := "no bound met, no more were tried"
	if f.Bound != "" {
		bound, _, _ = strings.Cut(f.Bound, ": run ") // what to do about it is no figure
	}
	row("streams", fmt.Sprint(f.Opened), bound)
	if f.CPU.Median > 0 {
		row("CPU of an event", f.CPU.text(1e6, "%.2f")+" µs", "of this process")
	}
	for _, q := range []struct {
		name string
		s    Spread
	}{{"p50", f.P50}, {"p99", f.P99}, {"p99.9", f.P999}} {
		row("error of a stamp "+q.name, q.s.text(1e6, "%.1f")+" µs", "")
	}
	row("read together", f.Coalesced.text(100, "%.2f")+" %", "")
	if f.UserspaceStamps.Median > 0 {
		row("stamped in user space", f.UserspaceStamps.text(100, "%.2f")+" %", "")
	}
}

// text is a median with its range, in another unit.
func (s Spread) text(scale float64, format string) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", scale*s.Median, scale*s.Lowest, scale*s.Most)
}
