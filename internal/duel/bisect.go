package duel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/metric"
	"headway/report"
)

// Step is a duel of a bisection.
type Step struct {
	Rev      string          `json:"rev"`
	Decision metric.Decision `json:"decision"` // missed: it is bad
	Dir      string          `json:"folder"`
	result   *Result
}

// Bisection is what a bisection gave.
type Bisection struct {
	Version int    `json:"headway_bisect"`
	Good    string `json:"good"`
	// Bad is the first bad one; empty where it is not known.
	Bad   string `json:"first_bad,omitempty"`
	Steps []Step `json:"steps"`
	// Open are those among which the first bad one is, where it is not known.
	Open []string `json:"open,omitempty"`
	Why  string   `json:"why,omitempty"`
}

// Document is the bisection as people read it.
func (b *Bisection) Document() *report.Document {
	d := &report.Document{}
	g := report.Grid{Title: "headway duel | bisection, each against " + b.Good,
		Columns: []string{"rev", "blocks", "word"}}
	words := map[metric.Decision]string{metric.Missed: "bad", metric.Met: "good", metric.NotDecided: "not decided"}
	for _, s := range b.Steps {
		g.Rows = append(g.Rows, []report.Cell{{Text: s.Rev}, {Text: fmt.Sprint(s.result.referee().Counted())},
			{Text: words[s.Decision]}})
	}
	d.Table(1, g)
	if b.Bad != "" {
		d.Text(report.Bad, "first bad: "+b.Bad)
	} else {
		d.Text(report.Doubtful, "the first bad one is not known: "+b.Why)
	}
	return d
}

// bisect finds the first of a list that is worse than the first one.
func (c *Command) bisect(ctx context.Context, a Around, rules Rules, goodput []metric.Objective) (Outcome, error) {
	revs, err := revisions(ctx, c.Bisect)
	if err != nil {
		return Outcome{}, fault.Usage(err)
	}
	b := &Bisection{Version: jsonVersion, Good: revs[0]}
	judge := func(rev string) (metric.Decision, error) {
		one := c.step(revs[0], rev)
		if !c.Quiet {
			a.Note("bisect: %s against %s", rev, revs[0])
		}
		res, err := one.duel(ctx, a, rules, goodput)
		if res == nil || err != nil || ctx.Err() != nil {
			return metric.NotDecided, errors.Join(err, ctx.Err())
		}
		b.Steps = append(b.Steps, Step{rev, res.Decision(), filepath.Base(one.Dir), res})
		return res.Decision(), nil
	}
	if err = b.search(revs, judge); err != nil {
		b.Why = "it ended before that: " + fault.Named(err, a.Called).Error()
	}
	if len(b.Steps) == 0 {
		return Outcome{}, err
	}
	err = errors.Join(err, c.show(a, b.Document(), b, "bisection"))
	return Outcome{Undecided: b.Bad == ""}, err
}

// search halves the list between what is known good and known bad. It ends where a duel
// decides nothing: a guess would lead to any of the others.
func (b *Bisection) search(revs []string, judge func(rev string) (metric.Decision, error)) error {
	last := len(revs) - 1
	d, err := judge(revs[last])
	if err != nil {
		return err
	}
	if d != metric.Missed {
		b.Open, b.Why = revs[1:], fmt.Sprintf("%s is not proven to be worse than %s", revs[last], revs[0])
		return nil
	}
	good, bad := 0, last
	for bad-good > 1 {
		middle := (good + bad) / 2
		if d, err = judge(revs[middle]); err != nil {
			return err
		}
		switch d {
		case metric.Missed:
			bad = middle
		case metric.Met:
			good = middle
		default:
			b.Open = revs[good+1 : bad+1]
			b.Why = fmt.Sprintf("%s is not decided; give --max-blocks or --max-time more", revs[middle])
			return nil
		}
	}
	b.Bad = revs[bad]
	return nil
}

// step are the options of one duel of a bisection.
func (c *Command) step(good, rev string) *Command {
	one := *c
	one.Bisect, one.Command = "", ""
	one.Dir = filepath.Join(c.Dir, "step_"+url.QueryEscape(rev)) // no two have one folder
	fill := func(text, rev string) string { return strings.ReplaceAll(text, "{rev}", rev) }
	if c.BSim != nil {
		a, b := fill(*c.BSim, good), fill(*c.BSim, rev)
		one.ASim, one.BSim = &a, &b
		return &one
	}
	one.ACommand, one.BCommand = fill(c.Command, good), fill(c.Command, rev)
	return &one
}

// revisions are those of a text: names with commas, or what git has of good..bad, the
// good one first.
func revisions(ctx context.Context, text string) ([]string, error) {
	good, bad, isRange := strings.Cut(text, "..")
	var all []string
	if !isRange {
		for _, name := range strings.Split(text, ",") {
			all = append(all, strings.TrimSpace(name))
		}
	} else {
		out, err := exec.CommandContext(ctx, "git", "rev-list", "--reverse", "--first-parent",
			"--end-of-options", good+".."+bad).Output()
		if err != nil {
			var failed *exec.ExitError
			if errors.As(err, &failed) {
				err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
			}
			return nil, fault.New("%s %s: git rev-list: %w", fault.Field("bisect"), text, err)
		}
		all = append([]string{good}, strings.Fields(string(out))...)
	}
	if len(all) < 2 || slices.Contains(all, "") {
		return nil, fault.New("%s %s: needs a good one and at least one after it", fault.Field("bisect"), text)
	}
	return all, nil
}
