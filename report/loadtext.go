package report

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/plain"
)

// LoadText says in a line what runs were of: model, load, lengths, seed. What
// differs between them is left out, but for the load, of which a few are named.
func LoadText(runs []*Report) string {
	parts := []string{
		common(runs, 3, func(r *Report) string { return r.clean(r.Run.Model) }),
		loadsText(runs),
		lengthsText(runs),
		common(runs, 1, func(r *Report) string { return fmt.Sprintf("seed %d", r.Run.Seed) }),
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// common is what runs say of themselves, as far as that is at most so many
// different texts; empty where it is more.
func common(runs []*Report, most int, of func(*Report) string) string {
	var all []string
	for _, r := range runs {
		if s := of(r); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) > most {
		return ""
	}
	return strings.Join(all, ", ")
}

// loadName is the load that was asked for.
func (r *Report) loadName() string {
	h := r.Run.Header
	switch {
	case h.Rate > 0 && h.Concurrency > 0:
		return fmt.Sprintf("%s requests/s, at most %d in flight", significant(h.Rate), h.Concurrency)
	case h.Rate > 0:
		return significant(h.Rate) + " requests/s"
	case h.Concurrency > 0:
		return fmt.Sprintf("concurrency %d", h.Concurrency)
	case h.Schedule.Timed && h.Schedule.Span > 0:
		return fmt.Sprintf("a schedule of %s requests in %s s", plain.Grouped(fmt.Sprint(h.Schedule.Count)),
			significant(h.Schedule.Span))
	}
	return ""
}

// loadsText names the loads, as long as they are few.
func loadsText(runs []*Report) string {
	const level = "concurrency "
	text := common(runs, 12, (*Report).loadName)
	if strings.HasPrefix(text, level) {
		text = level + strings.ReplaceAll(text[len(level):], level, "")
	}
	return text
}

// lengthsText is how long prompts and replies were on average, the least and the
// most of runs that differ.
func lengthsText(runs []*Report) string {
	of := func(tag string) string {
		var means []float64
		for _, r := range runs {
			if s, ok := r.Result.Summary(tag); ok {
				means = append(means, s.Mean)
			}
		}
		return between(means)
	}
	return tokensText(of("input_sequence_length"), of("output_sequence_length"))
}

// between is the least and the greatest of values, one where they look alike.
func between(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	low, high := significant(slices.Min(values)), significant(slices.Max(values))
	if low == high {
		return low
	}
	return low + "–" + high
}

// ExperimentsText says in a line what sweeps were of, as [LoadText] does: the models,
// the lengths and the seed. Their loads are what they are drawn over.
func ExperimentsText(experiments []Experiment) string {
	in, out := []float64{}, []float64{}
	seeds := []string{}
	for _, e := range experiments {
		for _, p := range e.Points {
			for _, r := range p.Runs {
				in = r.mean(in, "input_sequence_length")
				out = r.mean(out, "output_sequence_length")
				if r.Seed != "" && !slices.Contains(seeds, r.Seed) {
					seeds = append(seeds, r.Seed)
				}
			}
		}
	}
	var parts []string
	if s := ModelNames(experiments); s != "" {
		parts = append(parts, s)
	}
	if text := tokensText(between(in), between(out)); text != "" {
		parts = append(parts, text)
	}
	if len(seeds) == 1 {
		parts = append(parts, "seed "+seeds[0])
	}
	return strings.Join(parts, " · ")
}

// mean adds the mean of a metric to those of others, where the file has it.
func (l *Loaded) mean(to []float64, tag string) []float64 {
	if v, ok := l.Value(tag, "avg"); ok {
		return append(to, v)
	}
	return to
}

// tokensText is the lengths of prompts and replies, either of which may be empty.
func tokensText(in, out string) string {
	var parts []string
	if in != "" {
		parts = append(parts, in+" in")
	}
	if out != "" {
		parts = append(parts, out+" out")
	}
	if len(parts) == 0 {
		return ""
	}
	return "tokens (means): " + strings.Join(parts, ", ")
}
