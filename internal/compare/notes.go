package compare

import (
	"fmt"

	"headway/internal/plain"
)

// notes say how the words came about.
func (r *Result) notes() []string {
	looked, byRuns, assumed := 0, false, false
	based := false
	for _, v := range r.Versus {
		figures := 0 // those that have an interval
		for _, p := range v.Points {
			for _, c := range p.Figures {
				if c.known {
					figures++
				}
				byRuns, assumed = byRuns || c.By == ByRuns, assumed || c.Assumed > 0
				based = based || c.contrast.based
			}
		}
		looked = max(looked, figures)
	}
	if looked == 0 {
		return nil // no figure has an interval, and what there is says why
	}
	notes := []string{fmt.Sprintf("Intervals are of each figure by itself. p is corrected for the %s looked at "+
		"(Holm, in each comparison); better and worse: p below 0.05. same: the interval lies within ±%g %%.",
		plain.HowMany(looked, "figure", "figures"), 100*r.Options.Margin)}
	if byRuns {
		text := "Runs are the unit: values are geometric means over runs, and intervals count how much runs vary."
		if based {
			text += " The baseline " + r.Baseline + " counts, too."
		}
		notes = append(notes, text)
	}
	if assumed {
		notes = append(notes, fmt.Sprintf("With one run a side nothing tells how much runs vary: a standard "+
			"deviation of %g %% from run to run is assumed (--run-variation). Repeat the runs, or give three or more "+
			"runs as --baseline.", 100*r.Options.Assumed))
	}
	return notes
}
