// Package doctor looks for what would spoil a measurement before there is one, and
// for what is odd in one that was made: at an endpoint, on this host, in a
// namespace of a Kubernetes cluster, in a folder of results.
//
// Facts flow in from the packages that know how to get them (internal/openai,
// internal/audit, internal/deploy/kube, internal/study); a [Check] makes a
// [Finding] of them: what was seen, and what to do about it. The package decides
// nothing about exit codes or screens, mends nothing, and sends no load: the
// requests of an endpoint's checks are counted and few.
package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"headway/internal/plain"
	"headway/internal/secret"
)

// Status is how a check ended.
type Status string

// The ways in which a check ends.
const (
	OK      Status = "ok"
	Warn    Status = "warn"    // a measurement is possible, and something to know
	Fail    Status = "fail"    // a measurement would fail, or be of something else
	Skipped Status = "skipped" // nothing was looked at; Seen says why
)

// Finding is what a check found.
type Finding struct {
	Status Status
	// Seen says what was looked at and what was there; Do what to do about it,
	// empty where that is nothing.
	Seen, Do string
}

// Check looks at one thing.
type Check struct {
	// Name is one or two words, and unique among the checks of a subject.
	Name string
	// Needs are the names of earlier checks without which this one says nothing:
	// where one of them failed, or was skipped for what it needs itself, this one is
	// skipped. One that had nothing to look at is in nobody's way.
	Needs []string
	// Limit bounds the check; 0 is [DefaultLimit].
	Limit time.Duration
	// Run looks. It returns soon after ctx ends.
	Run func(ctx context.Context) Finding
}

// DefaultLimit is how long a check may take.
const DefaultLimit = 10 * time.Second

// Result is a check that was made.
type Result struct {
	Name string
	Finding
	blocked bool // for want of an earlier check
}

// Subject is what is looked at, with its checks in their order.
type Subject struct {
	// Title says what it is; Note, which may be empty, what the checks will do to it.
	Title, Note string
	Checks      []Check
	// Secrets are taken out of everything that is found.
	Secrets secret.Redactor
}

// Run makes the checks one after the other. When ctx ends, those that are left are
// skipped.
func (s Subject) Run(ctx context.Context) []Result {
	var all []Result
	for _, c := range s.Checks {
		r := c.within(ctx, all)
		r.Seen, r.Do = s.shown(r.Seen), s.shown(r.Do)
		all = append(all, r)
	}
	return all
}

// longest is how many characters a text may have: what others say stands in it.
const longest = 1500

// shown is a text without secrets, on one line and no longer than a table can have.
func (s Subject) shown(text string) string {
	// What is cut off before secrets are looked for lies far behind what is shown.
	text = plain.Line(s.Secrets.Text(text[:min(len(text), 32*longest)]))
	if r := []rune(text); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return text
}

// within makes the check, unless something that it needs is missing.
func (c Check) within(ctx context.Context, before []Result) Result {
	for _, r := range before {
		if slices.Contains(c.Needs, r.Name) && (r.Status == Fail || r.blocked) {
			became := map[bool]string{true: "was skipped", false: "failed"}[r.blocked]
			return Result{c.Name, skipped("needs the check " + r.Name + ", which " + became), true}
		}
	}
	if ctx.Err() != nil {
		return Result{c.Name, skipped("interrupted before it"), true}
	}
	limit := c.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return Result{c.Name, c.Run(ctx), false}
}

// Worst is the worst status of all results; OK where there are none.
func Worst(all []Result) Status {
	order := []Status{Skipped, OK, Warn, Fail}
	worst := OK
	for _, r := range all {
		if slices.Index(order, r.Status) > slices.Index(order, worst) {
			worst = r.Status
		}
	}
	return worst
}

func ok(seen string) Finding         { return Finding{OK, seen, ""} }
func warn(seen, do string) Finding   { return Finding{Warn, seen, do} }
func failed(seen, do string) Finding { return Finding{Fail, seen, do} }
func skipped(why string) Finding     { return Finding{Skipped, why, ""} }

// atMost are the first of several texts for one line, and how many more there are.
func atMost(n int, list []string) string {
	if len(list) <= n {
		return strings.Join(list, "; ")
	}
	return strings.Join(list[:n], "; ") + "; and " + plain.HowMany(len(list)-n, "more", "more")
}
