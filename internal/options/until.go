package options

import (
	"regexp"
	"strconv"
	"strings"

	"headway/internal/fault"
	"headway/metric"
)

// Until ends repeats when figures are known well enough.
type Until struct {
	Until []string `name:"until" sep:"none" placeholder:"\"TAG STAT ±PCT%\"" help:"Repeat each measurement until the interval of a figure over runs is this narrow, such as 'time_to_first_token p99 ±5%' (or +-5%), with at least four and at most --num-profile-runs runs (then 10 by default); repeatable. The interval is one that holds however often one looks, at --confidence-level, and wider than that of a fixed number of runs."`
}

// Wanted is a figure, and half the width of its interval as a share of it.
type Wanted struct {
	metric.Figure
	Within float64
	Text   string // as it was asked for
}

var untilForm = regexp.MustCompile(`^(.*\S)\s*(?:±|\+-|\+/-)\s*([0-9.]+)\s*%$`)

const (
	// mostRuns of a measurement may be made, and leastRepeats have an interval.
	mostRuns, leastRepeats = 10, 4
)

// check lists what is wrong, and sets how many runs there may be.
func (u *Until) check(o *Output, given map[string]bool, bad *fault.List) {
	if len(u.Until) == 0 {
		return
	}
	for _, text := range u.Until {
		if _, err := parseWanted(text); err != nil {
			bad.Add("%s %q: %v", fault.Field("until"), text, err)
		}
	}
	if !given["num-profile-runs"] {
		o.Runs = mostRuns
	}
	bad.When(o.Runs < leastRepeats, "%s needs %s %d or more", fault.Field("until"), fault.Field("num-profile-runs"),
		leastRepeats)
}

// Wanted are the figures that were asked for, which have been checked.
func (u *Until) Wanted() (all []Wanted) {
	for _, text := range u.Until {
		if w, err := parseWanted(text); err == nil {
			all = append(all, w)
		}
	}
	return all
}

func parseWanted(text string) (Wanted, error) {
	part := untilForm.FindStringSubmatch(strings.TrimSpace(text))
	if part == nil {
		return Wanted{}, fault.New("must be a figure and half the width of its interval in percent, such as %q",
			"time_to_first_token p99 ±5%")
	}
	f, err := metric.ParseFigure(part[1])
	if err != nil {
		return Wanted{}, err
	}
	pct, err := strconv.ParseFloat(part[2], 64)
	if err != nil || pct <= 0 || pct > 100 {
		return Wanted{}, fault.New("%s %% must be above 0 and at most 100", part[2])
	}
	return Wanted{f, pct / 100, strings.TrimSpace(text)}, nil
}
