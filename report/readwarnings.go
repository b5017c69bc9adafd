package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/record"
)

// warned reads the warnings of our own files.
func (l *Loaded) warned(list any) {
	all, _ := list.([]any)
	for _, w := range all {
		if code := getString(w, "code"); code != "" {
			l.Warnings = append(l.Warnings, record.Warning{Code: code, Text: getString(w, "text")})
		}
	}
}

// Concern is what a warning is about.
type Concern int

// What warnings can be about.
const (
	AboutRun     Concern = iota // the whole run
	AboutTokens                 // counts of tokens, and what is divided by them
	AboutPace                   // how fast tokens followed on each other
	AboutArrival                // when chunks came
	aboutNothing                // that a picture or a summary shows
)

// concerns are those of the warnings that are not of the whole run.
var concerns = map[string]Concern{
	"few_samples": aboutNothing, "template_tokens": aboutNothing, "usage_prompt_varies": aboutNothing,
	"gaps_counted":    aboutNothing,
	"sparse_arrivals": aboutNothing, "goodput_undecided": aboutNothing,
	"tokens_unknown": AboutTokens, "usage_discrepancy": AboutTokens, "usage_completion_varies": AboutTokens,
	"completion_offset": AboutTokens,
	"osl_mismatch":      AboutTokens, "tokenizer_fallback": AboutTokens, "chunk_usage_missing": AboutTokens,
	"client_token_count": AboutTokens, "assumed_tokens": AboutTokens,
	"itl_collapsed": AboutPace,
	"shared_reads":  AboutArrival, "user_stamps": AboutArrival, "not_streamed": AboutArrival,
	"first_chunk_held": AboutArrival,
}

// Warned is a warning and the concurrencies of the points that have it.
type Warned struct {
	record.Warning
	At []string
}

// Where names the points, " (at 4, 8)", unless all of so many have the warning.
func (f Warned) Where(points int) string {
	if len(f.At) == points {
		return ""
	}
	return " (at " + strings.Join(f.At, ", ") + ")"
}

// Warnings are those of the whole of an experiment's runs and those that concern one
// of some things, a kind once.
func (e Experiment) Warnings(of ...Concern) []Warned {
	var all []Warned
	for _, p := range e.Points {
		for _, r := range p.Runs {
			for _, w := range r.Warnings {
				c := concerns[w.Code]
				if c == aboutNothing || c != AboutRun && !slices.Contains(of, c) {
					continue
				}
				i := slices.IndexFunc(all, func(f Warned) bool { return f.Code == w.Code })
				if i < 0 {
					i, all = len(all), append(all, Warned{Warning: w})
				}
				if name := strconv.Itoa(p.Concurrency); !slices.Contains(all[i].At, name) {
					all[i].At = append(all[i].At, name)
				}
			}
		}
	}
	return all
}

// warningLines says each of an experiment's warnings once.
func (e Experiment) warningLines(d *Document) {
	for _, w := range e.Warnings(AboutTokens, AboutPace, AboutArrival) {
		d.line("", fmt.Sprintf("Warning%s: %s.", w.Where(len(e.Points)), strings.TrimSuffix(plain.Line(w.Text), ".")))
	}
}
