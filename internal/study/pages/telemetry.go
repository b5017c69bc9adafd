package pages

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/bound"
	"headway/internal/plain"
	"headway/internal/study"
	"headway/report"
	"headway/report/picture"
)

// watched are the sampled values that a page draws over the time of a run, those of
// one title in one picture.
var watched = []struct {
	name, title, label string
	as                 string // what tells it from others of the title
	scale              float64
}{
	{"running", "Requests at the server", "Requests", "in the batch", 1},
	{"waiting", "Requests at the server", "Requests", "waiting", 1},
	{"kv_usage", "KV cache in use", "KV cache (%)", "", 100},
	{"utilization", "GPU busy", "Time with a kernel (%)", "", 100},
	{"power", "Power of the GPUs", "Power (W)", "", 1},
	{processorsBusy, "Processors of the hosts busy", "Processors busy (%)", "", 100},
}

// processorsBusy is the share of a host's processors that had work, made of two
// counters.
const processorsBusy = "cpu_busy"

// mostSampled is how many times a curve has at most.
const mostSampled = 240

// timelines are what was sampled in a run, each value at no more than most times; nil
// where nothing was.
func timelines(path string, most int) (*report.Timelines, error) {
	f, err := bound.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := report.ReadTimelines(f, most)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	all.All = append(all.All, busy(all.All)...)
	return all, nil
}

// busy are the shares of processors that had work, of each host.
func busy(all []report.Timeline) (shares []report.Timeline) {
	for _, t := range all {
		for _, idle := range all {
			if t.Name != "cpu_time" || idle.Name != "cpu_idle" || t.Source != idle.Source || t.Of != idle.Of ||
				!slices.Equal(t.Times, idle.Times) {
				continue
			}
			share := report.Timeline{Source: t.Source, Kind: t.Kind, Of: t.Of, Name: processorsBusy}
			for i, rate := range t.Values {
				if rate > 0 {
					share.Times = append(share.Times, t.Times[i])
					share.Values = append(share.Values, max(0, 1-idle.Values[i]/rate))
				}
			}
			shares = append(shares, share)
		}
	}
	return shares
}

// over are the curves of what was sampled in a run, none where nothing was, and how
// many lines could not be read.
func over(r *study.Remade) (curves []picture.Over, skipped int, err error) {
	all, err := timelines(filepath.Join(r.Dir, r.Names.Telemetry), mostSampled)
	if all == nil {
		return nil, 0, err
	}
	return curvesOf(all, sources(all.All), -all.Begin), all.Skipped, nil
}

// curvesOf are the curves of the watched values, moved in time.
func curvesOf(all *report.Timelines, apart map[string]bool, by float64) (curves []picture.Over) {
	for _, w := range watched {
		for _, t := range all.All {
			if t.Name != w.name || t.Rate {
				continue
			}
			c := picture.Over{Title: w.title, Label: w.label, Name: nameOfCurve(w.as, t, apart)}
			for i, at := range t.Times {
				c.At = append(c.At, at+by)
				c.Values = append(c.Values, w.scale*t.Values[i])
			}
			curves = append(curves, c)
		}
	}
	return curves
}

// sources says of a kind of curves that they are of several sources, so that a name
// has to say of which.
func sources(all []report.Timeline) map[string]bool {
	first, several := map[string]string{}, map[string]bool{}
	for _, t := range all {
		if before, seen := first[t.Kind]; seen && before != t.Source {
			several[t.Kind] = true
		}
		first[t.Kind] = t.Source
	}
	return several
}

// nameOfCurve tells a curve from others of its picture; apart says of which kinds
// there are several sources.
func nameOfCurve(as string, t report.Timeline, apart map[string]bool) string {
	name := ""
	switch {
	case t.Kind == "gpu" && apart[t.Kind]:
		name = "GPU " + t.Of + " " + t.Source
	case t.Kind == "gpu":
		name = "GPU " + t.Of
	case t.Kind == "host", apart[t.Kind]:
		name = t.Source
	}
	return strings.Trim(name+", "+as, ", ")
}

// sampled adds what was sampled to a run; what cannot be read is said on the page.
func (b *builder) sampled(run *picture.Run, r *study.Remade) {
	curves, skipped, err := over(r)
	if err != nil {
		b.c.Untold = append(b.c.Untold, fmt.Sprintf("What was sampled is not drawn: %v", err))
	}
	if skipped > 0 {
		b.c.Untold = append(b.c.Untold, fmt.Sprintf("Of what was sampled, %s of %s cannot be read.",
			plain.HowMany(skipped, "line", "lines"), r.Names.Telemetry))
	}
	run.Over = curves
}
