package series

import "math"

// Start is how many values at the beginning of a sequence belong to its
// start-up; 0 where it has none that can be seen. False says that no stationary
// part was found.
//
// The marginal standard error rule proposes a number (MSER-5: White, Simulation
// 69(6), 1997; White, Cobb and Spratt, WSC 2000): the d for which the mean of
// the sequence without its first d batches of five has the least standard
// error. It takes every early burst for a start, and what is cut after a look at
// the data biases the rest. So the proposal stands only where the mean of what
// it cuts differs from that of the rest by more than dependent values do by
// chance. Together is that of [New].
func Start(values []float64, together float64) (skip int, ok bool) {
	if short(len(values), together) {
		return 0, false
	}
	values = finite(values)
	skip = shortest(values)
	if skip > len(values)/2 || short(len(values)-skip, together) {
		skip = 0
	}
	if first, rest := values[:skip], values[skip:]; skip > 0 {
		err := math.Sqrt(slow(rest).longRun * (1/float64(len(first)) + 1/float64(len(rest))))
		if math.Abs(mean(first)-mean(rest)) <= apart*err {
			skip = 0
		}
	}
	return skip, New(values[skip:], together).Stationary()
}

// apart is how many standard errors two means differ by when their difference
// is not chance. The proposal was chosen among many, hence more than two.
const apart = 3

// AfterFirst is the index of the first request that started when each of the
// first so many had ended: where the start-up of a closed loop is over, whose
// first requests, as many as it has slots, all start at one instant. In an open
// loop it is as many as are in flight at once on average, which is when the empty
// server has filled: the latencies show that late, the tokens that it delivers at
// once. Starts are in ascending order; ends belong to them. It is len(starts)
// where there is no such request.
func AfterFirst(starts, ends []float64, slots int) int {
	last := math.Inf(-1)
	for _, e := range ends[:min(slots, len(ends))] {
		last = max(last, e)
	}
	for i := min(slots, len(starts)); i < len(starts); i++ {
		if starts[i] >= last {
			return i
		}
	}
	return len(starts)
}

// shortest is the proposal of MSER-5.
func shortest(values []float64) int {
	const size = 5
	batches := len(values) / size
	if batches < 2*size {
		return 0
	}
	centre := mean(values)
	best, at := math.Inf(1), 0
	var sum, squares float64
	for d := batches - 1; d >= 0; d-- {
		b := mean(values[d*size:(d+1)*size]) - centre
		sum, squares = sum+b, squares+b*b
		left := float64(batches - d)
		if left < size {
			continue
		}
		if m := (squares - sum*sum/left) / (left * left); m <= best {
			best, at = m, d
		}
	}
	return at * size
}

// finite puts the greatest finite value in the place of infinite ones.
func finite(values []float64) []float64 {
	greatest, any := math.Inf(-1), false
	for _, v := range values {
		if math.IsInf(v, 1) {
			any = true
		} else {
			greatest = max(greatest, v)
		}
	}
	if !any {
		return values
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = min(v, greatest)
	}
	return out
}

// Flying is how many requests are in flight when the last one starts. From there
// on the load falls, and what is still in flight ends sooner than it would have:
// the last so many requests, by start, are not of the stationary part. To leave
// out those that are in flight then would leave out the long ones.
func Flying(starts, ends []float64) int {
	n := 0
	for _, e := range ends {
		if e > starts[len(starts)-1] {
			n++
		}
	}
	return n
}
