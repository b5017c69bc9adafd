package compare

import (
	"math"

	"headway/metric"
)

// Word is what became of a figure.
type Word string

// The words. Higher and Lower are of figures of which neither is better.
const (
	Better     Word = "better"
	Worse      Word = "worse"
	Higher     Word = "higher"
	Lower      Word = "lower"
	Same       Word = "same"
	NotDecided Word = "not decided"
)

// wordOf is the word of a contrast, p corrected for the number of figures. What is
// certainly within the margin is the same, also where it certainly differs: a change
// of half a percent is none to act on.
func wordOf(c contrast, p, margin float64, better metric.Direction) Word {
	bound := math.Log1p(margin)
	switch {
	case -bound <= c.low() && c.high() <= bound:
		return Same
	case !(p < 1-confidence):
		return NotDecided
	}
	return changed(c.at > 0, better)
}

// changed is the word of what is certainly higher or lower.
func changed(higher bool, better metric.Direction) Word {
	switch {
	case better == metric.Neutral && higher:
		return Higher
	case better == metric.Neutral:
		return Lower
	case higher == (better == metric.Higher):
		return Better
	}
	return Worse
}

// Said is the word of a change that lies between low and high: the same within the
// bound to either side of 0, and not decided where it may be 0.
func Said(low, high, bound float64, better metric.Direction) Word {
	switch {
	case -bound <= low && high <= bound:
		return Same
	case low <= 0 && 0 <= high:
		return NotDecided
	}
	return changed(low > 0, better)
}
