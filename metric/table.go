package metric

import (
	"slices"
	"strings"
)

// The sources of formulas.
const (
	aiperf = "aiperf"
	ours   = "headway"
)

// All describes every metric, in the order in which files list them.
func All() []Metric { return slices.Clone(byTokens) }

// Lookup finds a metric by its tag.
func Lookup(tag string) (Metric, bool) {
	i := slices.IndexFunc(byTokens, func(m Metric) bool { return m.Tag == tag })
	if i < 0 {
		return Metric{}, false
	}
	return byTokens[i], true
}

// The tables differ in the inter-token latency alone. None is written after it is made.
var (
	byTokens = table(ITL)
	byUsage  = table(ITLByUsage)
	// The same with every quotient, as aiperf has them.
	allByTokens = table(quotientITL)
	allByUsage  = table(quotientITLByUsage)
)

// table lists the metrics; itl is how the inter-token latency is measured. The
// order is that of the rows of aiperf's console, with what it does not show
// beside its kin.
func table(itl measure) []Metric {
	return slices.Concat(
		[]Metric{
			timeToFirstToken(), timeToSecondToken(), timeToFirstOutputToken(), requestLatency(),
			decodeDuration(), interTokenLatency(itl), interChunkLatency(),
			decodeSpeed(), outputTokenThroughputPerUser(itl), e2eOutputTokenThroughput(), prefillThroughputPerUser(),
			outputSequenceLength(), outputTokenCount(), reasoningTokenCount(), inputSequenceLength(),
			errorISL(),
		},
		waits(), tokenThroughputs(), perGPU(), []Metric{requestThroughput()}, goodput(), counts(),
		window(), lengthTotals(), mismatch(), replayLags(), usage(), serverTold(), httpTrace(), overTime(),
		adjusted(itl),
	)
}

// latency fills in what all latencies share.
func latency(m Metric) Metric {
	m.Unit, m.Scale, m.Better = "ms", 1000, Lower
	return filled(m)
}

// rate fills in what all throughputs share.
func rate(m Metric) Metric {
	m.Scale, m.Better = 1, Higher
	return filled(m)
}

// tokens fills in what all token counts share.
func tokens(m Metric) Metric {
	m.Unit, m.Scale, m.Integer = "tokens", 1, true
	return filled(m)
}

// total makes m the sum of a per-record metric in tokens.
func total(m Metric, of string) Metric {
	m.Kind, m.Formula, m.derive = Derived, "sum of "+of, sumOf(of)
	return tokens(m)
}

func filled(m Metric) Metric {
	if m.Header == "" {
		m.Header = title(m.Tag)
	}
	if m.Source == "" {
		m.Source = aiperf
	}
	return m
}

// title makes a header of a tag: "time_to_first_token", "Time to First Token".
func title(tag string) string {
	words := strings.Split(tag, "_")
	for i, w := range words {
		switch w {
		case "to":
		case "http", "isl", "osl", "e2e", "dns":
			words[i] = strings.ToUpper(w)
		case "pct":
			words[i] = "%"
		default:
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}
