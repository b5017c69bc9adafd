package workload

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// MaxTokens bounds every length that is read or drawn. It is far above any
// context window and keeps a wrong digit from asking for all the memory.
const MaxTokens = 1 << 24

// Length is a distribution of token counts: normal, with a mean and a standard
// deviation in tokens. The zero value means that no length was asked for.
type Length struct {
	Mean float64
	SD   float64
}

// IsZero says that no length was asked for.
func (l Length) IsZero() bool { return l == Length{} }

// Draw returns a count from 1 to [MaxTokens]. Without deviation it is the mean
// rounded to the nearest whole number, at least 1. With one it is a normal draw,
// repeated until it is positive and rounded up, as aiperf does it; rounding up
// adds half a token to the mean, and is kept because lengths would otherwise
// not be comparable with files that aiperf made.
func (l Length) Draw(r *rand.Rand) int {
	if l.SD == 0 {
		return clampTokens(math.Round(l.Mean))
	}
	// A valid Length has a mean above 0, so at least every second draw is
	// positive; the bound only protects from an invalid one.
	for range 64 {
		if x := l.Mean + l.SD*r.NormFloat64(); x > 0 {
			return clampTokens(math.Ceil(x))
		}
	}
	return 1
}

// Validate reports every fault; what names the length in the messages.
func (l Length) Validate(what string) error {
	var faults []error
	if !(l.Mean > 0 && l.Mean <= MaxTokens) {
		faults = append(faults, fmt.Errorf("%s mean %v: must be above 0 and at "+
			"most %d tokens", what, l.Mean, MaxTokens))
	}
	if !(l.SD >= 0 && l.SD <= MaxTokens) {
		faults = append(faults, fmt.Errorf("%s standard deviation %v: must be from 0 "+
			"to %d tokens", what, l.SD, MaxTokens))
	}
	return errors.Join(faults...)
}

// String is "mean" or "mean|sd", as [ParseLength] reads it.
func (l Length) String() string {
	if l.SD == 0 {
		return decimal(l.Mean)
	}
	return decimal(l.Mean) + "|" + decimal(l.SD)
}

// ParseLength reads "mean" or "mean|sd" in tokens; what names the length in
// the messages.
func ParseLength(s, what string) (Length, error) {
	l, err := parseLength(s, what)
	if err == nil {
		err = l.Validate(what)
	}
	if err != nil {
		return Length{}, err
	}
	return l, nil
}

// parseLength reads the numbers, whatever they are.
func parseLength(s, what string) (Length, error) {
	mean, sd, hasSD := strings.Cut(s, "|")
	var l Length
	var faults []error
	var err error
	if l.Mean, err = parseNumber(mean); err != nil {
		faults = append(faults, fmt.Errorf("%s mean %q: not a number", what, strings.TrimSpace(mean)))
	}
	if hasSD {
		if l.SD, err = parseNumber(sd); err != nil {
			faults = append(faults, fmt.Errorf("%s standard deviation %q: not a number", what, strings.TrimSpace(sd)))
		}
	}
	return l, errors.Join(faults...)
}

func clampTokens(x float64) int { return int(min(max(x, 1), MaxTokens)) }

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func parseNumber(s string) (float64, error) { return strconv.ParseFloat(strings.TrimSpace(s), 64) }
