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

// The two tables differ in the divisor of the inter-token latency alone.
// Neither is written after it is made.
var (
	byTokens = table(ITL)
	byUsage  = table(ITLByUsage)
)

// table lists the metrics; itl is how the inter-token latency is measured.
func table(itl measure) []Metric {
	return slices.Concat(
		[]Metric{
			requestLatency(), timeToFirstToken(), timeToSecondToken(), timeToFirstOutputToken(),
			decodeDuration(), interTokenLatency(itl), interChunkLatency(),
			outputTokenThroughputPerUser(itl), prefillThroughputPerUser(), e2eOutputTokenThroughput(),
			outputSequenceLength(), outputTokenCount(), reasoningTokenCount(), inputSequenceLength(),
		},
		lengthTotals(),
		[]Metric{errorISL(), total("total_error_isl", "Total Error Input Sequence Length", "error_isl", "lengths.go")},
		counts(), window(), throughputs(), perGPU(), goodput(), waits(), mismatch(),
		usage(), httpTrace(), adjusted(itl),
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

// total is the sum of a per-record metric in its own unit.
func total(tag, header, of, where string) Metric {
	return tokens(Metric{Tag: tag, Header: header, Kind: Derived,
		Formula: "sum of " + of, Where: where, derive: sumOf(of)})
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
