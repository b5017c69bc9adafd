package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"headway/internal/openai"
	"headway/internal/plain"
	"headway/record"
)

// failures are those of all runs, with advice for the most frequent.
func failures(runs []run) Finding {
	var list []string
	var worst record.Failure
	most, failedRequests, sent := 0, 0, 0
	address := ""
	for _, r := range runs {
		x := r.Report.Result
		failedRequests += x.Failed
		sent += x.OK + x.Failed
		for i, f := range x.Failures {
			if i == 0 {
				list = append(list, fmt.Sprintf("%s: %d times %s", r.where, f.Count, f.Failure.Described()))
			}
			if f.Count > most {
				most, worst, address = f.Count, f.Failure, r.Report.Run.URL
			}
		}
	}
	if failedRequests == 0 {
		return ok(fmt.Sprintf("none of %s", plain.HowMany(sent, "request", "requests")))
	}
	seen := fmt.Sprintf("%d of %d requests failed: %s", failedRequests, sent, atMost(3, list))
	address, _, _ = strings.Cut(address, ",")
	do := openai.Advice(worst, address)
	if do == "" {
		do = "headway report shows the table of failures."
	}
	if failedRequests == sent {
		return failed(seen, do)
	}
	return warn(seen, do)
}

// timeouts are failures that a lower load would not have had.
func timeouts(runs []run) Finding {
	var list []string
	for _, r := range runs {
		n, says := 0, ""
		for _, f := range r.Report.Result.Failures {
			if f.Failure.Class == record.ClassTimeout {
				n, says = n+f.Count, f.Failure.Message
			}
		}
		if n == 0 {
			continue
		}
		text := fmt.Sprintf("%s: %d requests ran out of time", r.where, n)
		if c := r.Report.Run.Concurrency; c > 0 {
			text += fmt.Sprintf(" at concurrency %d", c)
		}
		list = append(list, text+" ("+says+")")
	}
	if len(list) == 0 {
		return ok("no request ran out of time")
	}
	return failed(atMost(3, list), "The concurrency is too high for the timeout: requests wait in the server's queue "+
		"for "+
		"longer than they may take. Lower --concurrency or --request-rate, or raise --request-timeout-seconds.")
}

// clients are the verdicts on the client.
func clients(runs []run) Finding {
	var invalid, doubtful []string
	change := ""
	for _, r := range runs {
		a := r.Report.Run.Audit
		if a == nil || a.Verdict == record.AuditValid || len(a.Reasons) == 0 {
			continue
		}
		text := r.where + ": " + a.Reasons[0].Found
		if a.Verdict == record.AuditInvalid {
			invalid = append(invalid, text)
		} else {
			doubtful = append(doubtful, text)
		}
		change = a.Reasons[0].Change
	}
	switch {
	case len(invalid) > 0:
		return failed("the client was the bottleneck: "+atMost(3, invalid), change)
	case len(doubtful) > 0:
		return warn("the client was near a bound: "+atMost(3, doubtful), change)
	}
	return ok("no run says that its client was too slow")
}

// objectives are those that were missed, or are not decided.
func objectives(runs []run) Finding {
	var missed, open []string
	asked := 0
	for _, r := range runs {
		asked += len(r.Report.Result.Verdicts)
		lines := r.Report.Unmet()
		for i, line := range lines {
			lines[i] = r.where + ": " + line
		}
		if r.Report.Missed() {
			missed = append(missed, lines...)
		} else {
			open = append(open, lines...)
		}
	}
	switch {
	case len(missed) > 0:
		return failed(atMost(4, missed), "Lower the load, or give the server more: headway profile sla finds how "+
			"many GPUs "+
			"a load needs.")
	case len(open) > 0:
		return warn(atMost(4, open), "Measure more requests, so that the intervals become narrower.")
	case asked == 0:
		return skipped("none was given")
	}
	return ok(fmt.Sprintf("all of %d met", asked))
}

// harmless are warnings about which nothing is to be done.
var harmless = []string{"history", "template_tokens", "gaps_counted", "measured_again"}

// warnings are those of all runs, each code once.
func warnings(runs []run) Finding {
	first, times := map[string]string{}, map[string]int{}
	for _, r := range runs {
		for _, w := range r.Report.Warnings() {
			if times[w.Code]++; times[w.Code] == 1 {
				first[w.Code] = w.Text
			}
		}
	}
	var list []string
	serious := false
	for _, code := range slices.Sorted(maps.Keys(first)) {
		text := fmt.Sprintf("%s: %s", code, first[code])
		if times[code] > 1 {
			text += fmt.Sprintf(" (in %d places)", times[code])
		}
		list = append(list, text)
		serious = serious || !slices.Contains(harmless, code)
	}
	switch {
	case len(list) == 0:
		return ok("none")
	case !serious:
		return ok(atMost(3, list))
	}
	return warn(atMost(5, list), "docs/warnings.md says of each code what to do.")
}
