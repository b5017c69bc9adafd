// Package sequential has intervals that hold however often one looks at them, so that
// a measurement may stop as soon as its interval is narrow enough.
package sequential

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// prior is the variance of the effect size, the mean in standard deviations of one value,
// that the mixture is tuned for. It changes how wide an interval is at which number of
// values, and never how often it is wrong; with 4 one of 30 values is within a tenth of the
// best.
const prior = 4

// Factor is how many standard errors an interval of n values reaches to either side of
// their mean, at the level 1−alpha for all n together. Values are independent and normal
// with a mean and a variance that are not known. +Inf where nothing is bounded yet.
//
// The interval is the set of means that the scale-invariant mixture does not reject. The
// Bayes factor of a t statistic with ν = n−1 degrees of freedom,
//
//	(1+n·g)^(−1/2) · ((1+t²/ν) / (1+t²/(ν·(1+n·g))))^((ν+1)/2)
//
// with a normal prior of variance g on the effect size and the right Haar prior on the
// scale (Gönen et al., The American Statistician 59, 2005), is a martingale of the
// scale-invariant statistics that begins at 1, so that by Ville's inequality it ever
// reaches 1/alpha with probability alpha at most (Lai, On confidence sequences, Annals of
// Statistics 4, 1976; Wang and Ramdas, Anytime-valid t-tests and confidence sequences for
// Gaussian means with unknown variance, arXiv 2310.03722).
func Factor(n int, alpha float64) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	m := float64(n)
	shrink := 1 / (1 + m*prior)
	a := math.Pow(1/alpha, 2/m) * math.Pow(1+m*prior, 1/m)
	if a*shrink >= 1 {
		return math.Inf(1)
	}
	return math.Sqrt((m - 1) * (a - 1) / (1 - a*shrink))
}

// Mean is the mean of values with its interval: [-Inf, +Inf] of too few.
func Mean(values []float64, alpha float64) (mean, low, high float64) {
	mean, variance := stat.MeanVariance(values, nil)
	f := Factor(len(values), alpha)
	if math.IsInf(f, 1) {
		return mean, math.Inf(-1), math.Inf(1)
	}
	half := f * math.Sqrt(variance/float64(len(values)))
	return mean, mean - half, mean + half
}
