package page

import (
	"fmt"
	"strings"
	"time"

	"headway/internal/plain"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/picture"
)

// fact is something that holds for all that is on the page.
type fact struct{ Name, Text string }

// mark is a verdict in a word or two, good, doubtful or bad.
type mark struct{ Tone, Text string }

// all are the runs that the head of the page is about.
func (c Content) all() []picture.Run { return append(c.Runs[:len(c.Runs):len(c.Runs)], c.More...) }

// facts say what was measured. What differs between the runs is named as often as
// it differs, up to four times.
func (c Content) facts() []fact {
	var all []fact
	add := func(name string, of func(*report.Report) string) {
		var texts []string
		seen := map[string]bool{}
		for _, r := range c.all() {
			if s := of(r.Report); s != "" && !seen[s] {
				seen[s] = true
				texts = append(texts, plain.Line(r.Report.Secrets.Text(s)))
			}
		}
		if n := len(texts); n > 4 {
			texts = append(texts[:3], fmt.Sprintf("and %d more", n-3))
		}
		if len(texts) > 0 {
			all = append(all, fact{name, strings.Join(texts, ", ")})
		}
	}
	add("Model", func(r *report.Report) string { return r.Run.Model })
	add("Server", func(r *report.Report) string { return r.Run.URL })
	add("API", func(r *report.Report) string { return r.Run.Endpoint })
	all = append(all, c.load()...)
	add("Tokens counted by", func(r *report.Report) string { return r.Run.CountedBy })
	add("Tokenizer", func(r *report.Report) string { return r.Run.Tokenizer.Name })
	add("Client", func(r *report.Report) string {
		m := r.Run.Machine
		return strings.Trim(fmt.Sprintf("%s/%s, %d CPUs", m.OS, m.Arch, m.CPUs), "/, ")
	})
	all = append(all, c.when()...)
	add("headway", func(r *report.Report) string { return r.Run.Version })
	return all
}

// load is what all runs have in common of their load.
func (c Content) load() []fact {
	var reports []*report.Report
	for _, r := range c.all() {
		reports = append(reports, r.Report)
	}
	if len(reports) == 0 {
		return nil
	}
	text := report.LoadText(reports)
	if _, rest, cut := strings.Cut(text, " · "); cut {
		text = rest // the model has a line of its own
	}
	return []fact{{"Load", text}}
}

// when is the begin of the first run; in virtual time there is none.
func (c Content) when() []fact {
	var first time.Time
	for _, r := range c.all() {
		if at := r.Report.Run.Origin; at.Unix() > 0 && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return nil
	}
	return []fact{{"Begun", first.UTC().Format("2006-01-02 15:04:05 UTC")}}
}

// marks are what a reader must know before any figure.
func (c Content) marks() []mark {
	var all []mark
	count := func(tone, text string, is func(*report.Report) bool) {
		n := 0
		for _, r := range c.all() {
			if is(r.Report) {
				n++
			}
		}
		switch {
		case n == 0:
		case n == len(c.all()):
			all = append(all, mark{tone, text})
		default:
			all = append(all, mark{tone, fmt.Sprintf("%s: %d of %d runs", text, n, len(c.all()))})
		}
	}
	audited := func(v record.Verdict) func(*report.Report) bool {
		return func(r *report.Report) bool { return r.Run.Audit != nil && r.Run.Audit.Verdict == v }
	}
	count("doubtful", simulated, func(r *report.Report) bool { return r.Run.Simulated })
	switch {
	case c.Simulated == 0:
	case c.Simulated == c.Profiles && len(c.all()) == 0:
		all = append(all, mark{"doubtful", simulated})
	default:
		all = append(all, mark{"doubtful", fmt.Sprintf("%s: %d of %s", simulated, c.Simulated,
			plain.HowMany(c.Profiles, "profile", "profiles"))})
	}
	count("bad", "not complete", func(r *report.Report) bool { return !r.Complete() })
	count("good", "client valid", audited(record.AuditValid))
	count("doubtful", "client doubtful", audited(record.AuditDoubtful))
	count("bad", "client invalid", audited(record.AuditInvalid))
	count("bad", "objectives missed", (*report.Report).Missed)
	count("doubtful", "objectives not decided", (*report.Report).Undecided)
	count("good", "objectives met", func(r *report.Report) bool {
		return len(r.Result.Verdicts) > 0 && !r.Missed() && !r.Undecided()
	})
	count("bad", "requests failed", func(r *report.Report) bool { return r.Result.Failed > 0 })
	count("doubtful", "warnings", warned)
	return all
}

// simulated is the mark of what no measurement is behind.
const simulated = "simulated: no real engine answered"

func warned(r *report.Report) bool { return len(r.Warnings()) > 0 }

// again is a way to the same measurement.
type again struct{ Text, Command string }

// again says how to make the runs once more.
func (c Content) again() []again {
	var all []again
	said := map[string]bool{}
	add := func(text, command string) {
		if command != "" && !said[command] && len(all) < 4 {
			said[command] = true
			all = append(all, again{text, command})
		}
	}
	add("", c.Command)
	for _, r := range c.all() {
		run := r.Report.Run
		text := fmt.Sprintf("Its seed was %d; where the command names none, add --random-seed %[1]d to send the same "+
			"prompts at the same times.", run.Seed)
		add(text, plain.Line(r.Report.Secrets.Text(run.Command)))
	}
	return all
}

// outcome is a request's in words.
func outcome(s metric.Sampled) string {
	switch s.Outcome {
	case record.OK:
		return "ok"
	case record.Cancelled:
		return "given up"
	}
	return "failed"
}
