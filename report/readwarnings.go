package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// concern is what a warning is about.
type concern int

const (
	ofAll     concern = iota
	ofTokens          // counts of tokens, and what is divided by them
	ofPace            // how fast tokens followed on each other
	ofArrival         // when chunks came
	ofNothing         // that a picture or a summary shows
)

// concerns are those of the warnings that are not of the whole run.
var concerns = map[string]concern{
	"few_samples": ofNothing, "template_tokens": ofNothing, "usage_prompt_varies": ofNothing, "gaps_counted": ofNothing,
	"sparse_arrivals": ofNothing, "goodput_undecided": ofNothing,
	"tokens_unknown": ofTokens, "usage_discrepancy": ofTokens, "usage_completion_varies": ofTokens, "completion_offset": ofTokens,
	"osl_mismatch": ofTokens, "tokenizer_fallback": ofTokens, "chunk_usage_missing": ofTokens,
	"client_token_count": ofTokens, "assumed_tokens": ofTokens,
	"itl_collapsed": ofPace,
	"shared_reads":  ofArrival, "user_stamps": ofArrival, "not_streamed": ofArrival, "first_chunk_held": ofArrival,
}

// found is a warning and the levels that have it.
type found struct {
	record.Warning
	at []string
}

// where names the levels, unless all of them have the warning.
func (f found) where(levels int) string {
	if len(f.at) == levels {
		return ""
	}
	return " (at " + strings.Join(f.at, ", ") + ")"
}

// warnings are those of an experiment that concern one of some things, a kind
// once.
func (e Experiment) warnings(of ...concern) []found {
	var all []found
	for _, p := range e.Points {
		for _, r := range p.Runs {
			for _, w := range r.Warnings {
				c := concerns[w.Code]
				if c == ofNothing || c != ofAll && !slices.Contains(of, c) {
					continue
				}
				i := slices.IndexFunc(all, func(f found) bool { return f.Code == w.Code })
				if i < 0 {
					i, all = len(all), append(all, found{Warning: w})
				}
				if name := strconv.Itoa(p.Concurrency); !slices.Contains(all[i].at, name) {
					all[i].at = append(all[i].at, name)
				}
			}
		}
	}
	return all
}

// warningLines says each of an experiment's warnings once.
func (e Experiment) warningLines(b *strings.Builder) {
	for _, w := range e.warnings(ofTokens, ofPace, ofArrival) {
		fmt.Fprintf(b, "Warning%s: %s.\n", w.where(len(e.Points)), strings.TrimSuffix(oneLine(w.Text), "."))
	}
}

// warningNote names the warnings of a picture's figures. A picture has no room
// for their sentences, which stand in SUMMARY.txt beside it.
func warningNote(experiments []Experiment, of []concern) string {
	var names []string
	for _, e := range experiments {
		for _, w := range e.warnings(of...) {
			name := strings.ReplaceAll(w.Code, "_", " ") + w.where(len(e.Points))
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "Warnings (see SUMMARY.txt): " + strings.Join(names, ", ") + "."
}

// emptyText says why a picture has nothing in it.
func emptyText(experiments []Experiment, of []concern) string {
	for _, e := range experiments {
		for _, w := range e.warnings(of...) {
			switch w.Code {
			case "itl_collapsed":
				return "no data: replies came in too few reads to tell the pace of their tokens"
			case "tokens_unknown":
				return "no data: nobody counted the tokens of replies"
			}
		}
	}
	return "no data: this needs streaming replies"
}

// speed is what one user gets while replies are decoded, in tokens per second:
// tokens over decode time. Files of aiperf do not have it; the reciprocal of
// their mean inter-token latency, which no single fast reply can own either,
// stands in.
func (p Point) speed() estimate {
	if e := p.figure("decode_speed_per_user", "avg"); len(p.Runs) == 1 && finite(e.value) {
		return e
	}
	var values []float64
	for _, r := range p.Runs {
		if v, ok := r.Value("decode_speed_per_user", "avg"); ok {
			values = append(values, v)
		} else if v, _, _, ok := r.Milliseconds("inter_token_latency", "avg"); ok && v > 0 {
			values = append(values, 1000/v)
		}
	}
	return over(values)
}

// loose reports whether the interval of a level's figures is of so few runs
// that it says next to nothing: Student's factor is 12.7 for two.
func (p Point) loose() bool { return len(p.Runs) == 2 }
