package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"headway/internal/plain"
	"headway/record"
	"headway/report"
)

// summaries looks at what has no requests beside it: files of aiperf, and the
// comparisons of routers with their own warnings.
func (f *folder) summaries(context.Context) Finding {
	var odd []string
	all, worst := 0, OK
	note := func(where string, found []string, bad bool) {
		all++
		if len(found) == 0 {
			return
		}
		odd = append(odd, where+": "+strings.Join(found, ", "))
		if bad {
			worst = Fail
		} else if worst == OK {
			worst = Warn
		}
	}
	for _, path := range f.disk.Summaries {
		l, err := report.Load(path)
		if err != nil {
			note(f.below(filepath.Dir(path)), []string{err.Error()}, true)
			continue
		}
		found, bad := ofSummary(l)
		note(f.below(filepath.Dir(path)), found, bad)
	}
	for _, found := range f.disk.Found {
		if c := found.Comparison; c != nil {
			note(found.Name, codes(c.Warnings), false)
		}
	}
	switch {
	case all == 0:
		return skipped("every result has its requests beside it")
	case worst == OK:
		return ok(plain.HowMany(all, "summary", "summaries") + ", nothing odd in them")
	}
	return Finding{worst, atMost(4, odd), "Read the run's own output, and measure again what was cut off or failed; " +
		"docs/warnings.md explains the codes."}
}

// ofSummary is what is odd in a summary; bad says that its figures are not those of a
// whole and valid run.
func ofSummary(l *report.Loaded) (found []string, bad bool) {
	if l.Cut() {
		found, bad = append(found, "ended before all was measured"), true
	}
	if l.Verdict == record.AuditInvalid {
		found, bad = append(found, "the client was the bottleneck"), true
	}
	if !l.Answered() {
		found, bad = append(found, "no request was answered"), true
	}
	if n, has := l.Value("error_request_count", "avg"); has && n > 0 {
		found = append(found, fmt.Sprintf("%.0f requests failed", n))
	}
	return append(found, codes(l.Warnings)...), bad
}

// codes are those of warnings about which something is to be done, each once.
func codes(list []record.Warning) (all []string) {
	seen := map[string]bool{}
	for _, code := range harmless {
		seen[code] = true
	}
	for _, w := range list {
		if !seen[w.Code] {
			seen[w.Code] = true
			all = append(all, w.Code)
		}
	}
	return all
}
