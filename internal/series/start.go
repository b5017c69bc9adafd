package series

import "math"

// Start is the number of values at the beginning of a sequence that belong to
// its start-up, by the marginal standard error rule (MSER-5: White, Simulation
// 69(6), 1997; White, Cobb and Spratt, WSC 2000): of the sequence without its
// first d batches of five, the d for which the mean's standard error is the
// least. False where that is in the second half, since then no stationary part
// was found.
func Start(values []float64) (skip int, ok bool) {
	const size = 5
	batches := len(values) / size
	if batches < 4 {
		return 0, false
	}
	best, at := math.Inf(1), 0
	var sum, squares float64
	for d := batches - 1; d >= 0; d-- {
		b := mean(values[d*size : (d+1)*size])
		sum, squares = sum+b, squares+b*b
		left := float64(batches - d)
		if left < 5 {
			continue
		}
		if mser := (squares - sum*sum/left) / (left * left); mser <= best {
			best, at = mser, d
		}
	}
	return at * size, at <= batches/2
}

// Stationary reports whether the values neither rise nor fall as a whole. Of
// fewer than thirty it cannot be told: false.
func Stationary(values []float64) bool {
	if len(values) < least {
		return false
	}
	_, squares := slow(values, mean(values))
	return !drifts(squares)
}
