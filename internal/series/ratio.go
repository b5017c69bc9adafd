package series

import "math"

// Ratio estimates Σnumerators/Σdenominators of two sequences that belong
// together, in order of time: tokens and seconds of each piece of a run for a
// throughput, a figure of the same requests under two arms for a gain. It is
// the mean of (a − ratio·b)/mean(b), the first term of its Taylor series.
// Together counts as in [New], in pieces.
func Ratio(numerators, denominators []float64, together float64) Estimate {
	ratio, rest, why := linear(numerators, denominators)
	if why != "" {
		return without(ratio, why)
	}
	e := New(rest, together).Mean()
	e.Value, e.Low, e.High = ratio, ratio+e.Low, ratio+e.High
	return e
}

// linear is the ratio of two sequences and the sequence whose mean moves as it
// does, or why there is none.
func linear(numerators, denominators []float64) (ratio float64, rest []float64, why Reason) {
	if len(numerators) == 0 || len(numerators) != len(denominators) {
		return math.NaN(), nil, TooShort
	}
	over, under := mean(numerators), mean(denominators)
	ratio = over / under
	if math.IsInf(over, 0) || math.IsInf(under, 0) || under == 0 {
		return ratio, nil, Infinite
	}
	rest = make([]float64, len(numerators))
	for i, a := range numerators {
		rest[i] = (a - ratio*denominators[i]) / under
	}
	return ratio, rest, ""
}

// Runs estimates a figure from its values in runs that are independent of each
// other, as repeats with seeds of their own are: Student's t. One run has no
// interval.
func Runs(values []float64) Estimate {
	if len(values) == 0 {
		return without(math.NaN(), TooShort)
	}
	m := mean(values)
	if math.IsInf(m, 0) {
		return without(m, Infinite)
	}
	if len(values) < 2 {
		return without(m, TooShort)
	}
	squares := 0.0
	for _, v := range values {
		squares += (v - m) * (v - m)
	}
	n := len(values)
	half := student(n-1) * math.Sqrt(squares/float64(n-1)/float64(n))
	return Estimate{Value: m, Low: m - half, High: m + half, Effective: float64(n)}
}
