package metric

import (
	"fmt"
	"strings"
)

// Figure is a statistic of a metric by its names in files.
type Figure struct {
	Tag  string
	Stat string // avg, min, max, std, p1 … p99; "" for a scalar
}

// ParseFigure reads "tag statistic", as an [Objective] has it before its operator:
// "time_to_first_token p99", "ttft avg", "goodput".
func ParseFigure(text string) (Figure, error) {
	words := strings.Fields(text)
	if len(words) < 1 || len(words) > 2 {
		return Figure{}, fmt.Errorf("figure %q: want a metric and a statistic, as in %q", text,
			"time_to_first_token p99")
	}
	m, err := named(words[0])
	if err != nil {
		return Figure{}, fmt.Errorf("figure %q: %w", text, err)
	}
	stat, err := statistic(m, strings.Join(words[1:], ""))
	if err != nil {
		return Figure{}, fmt.Errorf("figure %q: %w", text, err)
	}
	return Figure{Tag: m.Tag, Stat: stat}, nil
}

// String is the figure as [ParseFigure] reads it.
func (f Figure) String() string { return strings.TrimSpace(f.Tag + " " + f.Stat) }

// Better says which way is better; Neutral where the metric is not known.
func (f Figure) Better() Direction {
	m, _ := Lookup(f.Tag)
	return m.Better
}
