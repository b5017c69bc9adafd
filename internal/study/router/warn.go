package router

import (
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
	"headway/record"
	"headway/report"
)

// conclude gathers notes and what is wrong with the runs. What is wrong with the
// load is said once and not for every run.
func (s *Study) conclude() {
	s.notes()
	for _, k := range s.summary.Cases {
		s.idlePriorities(k)
		for _, a := range k.Arms {
			s.ofArm(k, a)
		}
	}
	s.ofSeveral()
}

// ofSeveral says the warnings of the variants' runs, each text once, with the
// variants that it is of.
func (s *Study) ofSeveral() {
	arms := 0
	places := map[record.Warning][]string{}
	var order []record.Warning
	for _, k := range s.summary.Cases {
		arms += len(k.Arms)
		for _, a := range k.Arms {
			for _, w := range s.warningsOf(a) {
				if places[w] == nil {
					order = append(order, w)
				}
				places[w] = append(places[w], filepath.Join(k.Name, a.Name))
			}
		}
	}
	for _, w := range order {
		of := strings.Join(places[w], ", ")
		if len(places[w]) == arms && arms > 1 {
			of = "all variants"
		}
		s.warn(w.Code, "%s: %s", of, w.Text)
	}
}

// warningsOf are those of the runs of a variant, each once, without those that the
// tables have a column of, and those of the load, which are said of it.
func (s *Study) warningsOf(a report.Arm) (all []record.Warning) {
	for _, rep := range a.Runs() {
		for _, w := range rep.Run.Warnings {
			if w.Code != study.Saturated && !slices.Contains(s.Warnings, w) && !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// ofArm adds what is wrong with the runs of a variant.
func (s *Study) ofArm(k report.Case, a report.Arm) {
	for _, rep := range a.Runs() {
		s.ofRun(k, a, rep)
	}
	if a.LagDegraded() {
		s.warn("replay_sched_degraded", "%s on %s: more than one request in a hundred was sent over 500 ms late, "+
			"so this is not the schedule that was asked for",
			k.Name, a.Name)
	}
	if sat, share := a.Saturation(); sat && a.Name == s.summary.Baseline && len(s.Variants) > 1 {
		s.warn("saturated_baseline",
			"%s: the baseline %s is saturated (it %s): its queue grows as long as the load lasts, "+
				"so figures over it are no gain to quote",
			k.Name, a.Name, report.CompletedText(share))
	}
}

func (s *Study) ofRun(k report.Case, a report.Arm, rep *report.Report) {
	if audit := rep.Run.Audit; audit != nil {
		for _, r := range audit.Reasons {
			s.warn("client_"+string(r.Level), "%s on %s: the client is %s, %s; %s",
				k.Name, a.Name, r.Level, r.Found, r.Change)
		}
	}
}

// idlePriorities warns of hints that changed nothing. Variants come in pairs then:
// without and with them.
func (s *Study) idlePriorities(k report.Case) {
	for i := 0; s.Tiers != nil && i+1 < len(k.Arms); i += 2 {
		if s.Options.Live() && k.Arms[i+1].Report.Result.Workers.Queued == 0 {
			s.warn("priorities_idle", "%s on %s: by its own word the router held no request back, so priorities "+
				"changed nothing; in Dynamo 1.6 its queue is off unless the frontend has --router-queue-threshold",
				k.Name, k.Arms[i+1].Name)
		}
		if sameTiers(k.Arms[i].Tiers, k.Arms[i+1].Tiers) {
			s.warn("priorities_without_effect",
				"%s: priorities changed nothing, since the router's queue never held a request back; "+
					"raise the load (%s) or lower %s",
				k.Name, fault.Field("speedup-ratio"), fault.Field("router-queue-threshold"))
		}
	}
}

// sameTiers says whether every tier has the same mean TTFT in both.
func sameTiers(a, b []report.Tier) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y report.Tier) bool {
		p, _ := x.Result.Summary("time_to_first_token")
		q, _ := y.Result.Summary("time_to_first_token")
		return p.Count == q.Count && p.Mean == q.Mean
	})
}

// warn adds a warning, once.
func (s *Study) warn(code, format string, args ...any) {
	text := fault.Text(s.Called, format, args...)
	if !slices.ContainsFunc(s.summary.Warnings, func(w record.Warning) bool { return w.Text == text }) {
		s.summary.Warnings = append(s.summary.Warnings, record.Warning{Code: code, Text: text})
	}
}

// notes adds what is to be said of the runs without anything being wrong.
func (s *Study) notes() {
	if s.replies != nil {
		s.note(s.replies.Note())
	}
	if s.Options.Live() {
		s.note(s.tokenNote())
		return
	}
	s.note(s.Options.IdleNote(HasKV(s.Variants)))
	s.note(s.Options.FamiliesNote(HasKV(s.Variants)))
	s.note(s.frontend())
}

func (s *Study) note(text string) {
	if text != "" {
		s.summary.Notes = append(s.summary.Notes, text)
	}
}

// tokenNote says whose token counts the figures of real endpoints are made of.
func (s *Study) tokenNote() string {
	var server, client []string
	for _, k := range s.summary.Cases {
		for _, a := range k.Arms {
			switch a.Report.Result.Tokens.By() {
			case "server":
				server = append(server, k.Name+" on "+a.Name)
			case "client":
				client = append(client, k.Name+" on "+a.Name)
			}
		}
	}
	switch {
	case len(server)+len(client) == 0:
		return ""
	case len(client) == 0:
		return "tokens: the server's counts"
	case len(server) == 0:
		return "tokens: counted by this client"
	}
	return fault.Text(s.Called, "tokens are the server's counts, but for those counted by this client: %s; "+
		"token figures of the two do not compare: %s client counts all alike",
		strings.Join(client, ", "), fault.Field("token-count"))
}

// frontend is the note on the delay of requests, which all runs share.
func (s *Study) frontend() string {
	for _, k := range s.summary.Cases {
		for _, a := range k.Arms {
			if c := a.Report.Run.Cluster; c != nil {
				return options.FrontendNote(*c)
			}
		}
	}
	return ""
}
