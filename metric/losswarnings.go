package metric

import (
	"fmt"
	"math"
	"strings"

	"headway/record"
)

// notableLoss is the share of requests, or of their time in flight, above which
// what failed and what was cut off is worth a warning.
const notableLoss = 0.01

// lossWarnings say what figures of answered requests leave out.
func lossWarnings(r *Result) []record.Warning {
	var list []record.Warning
	if sent := r.OK + r.Failed; float64(r.Failed) > notableLoss*float64(sent) {
		list = append(list, record.Warning{Code: "failed_requests", Text: fmt.Sprintf(
			"%d of %d requests failed (%.1f %%): in quantiles of latencies they count as infinite, and figures of "+
				"answered requests leave them out",
			r.Failed, sent, percent(r.Failed, sent))})
	}
	p, lead := r.Whole, 0.0
	if p == nil || r.OK == 0 {
		return list
	}
	// The part that tables lead with can leave out much more than the whole run.
	if part, steady := r.Lead(); steady {
		lead = part.Outside
	}
	var who []string
	if p.Cut > 0 {
		who = append(who, plural(p.Cut, "request")+" that this run ended before their reply")
	}
	if p.Failed > 0 {
		who = append(who, plural(p.Failed, "request")+" that failed")
	}
	if max(p.Outside, lead) > notableLoss {
		share := fmt.Sprintf("%.1f %% of the time in flight", 100*p.Outside)
		if math.Abs(lead-p.Outside) > notableLoss && lead > 0 {
			share += fmt.Sprintf(" (%.1f %% in the steady part)", 100*lead)
		}
		list = append(list, record.Warning{Code: "outside", Text: fmt.Sprintf(
			"%s belongs to %s: figures of answered requests therefore favour short replies",
			share, strings.Join(who, " and "))})
	}
	if p.Assumed > notableLoss {
		list = append(list, record.Warning{Code: "assumed_tokens", Text: fmt.Sprintf(
			"%.1f %% of the output tokens in throughputs were counted by nobody, in replies without usage: "+
				"a chunk of them is taken for as many tokens as one of the other replies has", 100*p.Assumed)})
	}
	return list
}
