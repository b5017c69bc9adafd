// Package interp reads values between measured ones. Two ways are SciPy's, since
// Dynamo's planner interpolates its profiles with them, and whoever plays the
// planner, or its mocker, needs the same: the cubic not-a-knot spline of interp1d,
// and griddata's cubic surface through scattered points, which agrees with SciPy to
// 1e-6 where the points have one triangulation and else depends on a choice
// ([Surface.Divided]). Both swing beyond the values that they are drawn through. Two
// more do not, and are for our own answers: [NewMonotone] and [Surface.Linear]. The
// arrays of such profiles are read and written here too, as NumPy's archives.
//
// Numbers flow in and out; the package knows no unit and no metric, measures
// nothing, and smooths nothing: every curve passes through its points.
// [LeaveOneOut] and [Surface.LeaveOneOut] say what that is worth, by the error
// that the curve makes at a point that it was not given.
package interp

// Linspace is n numbers from a to b at equal distances, both included; n is at
// least 2.
func Linspace(a, b float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = a + (b-a)*float64(i)/float64(n-1)
	}
	x[n-1] = b
	return x
}

// Interval is i such that x[i] ≤ v < x[i+1], or the first or the last such i
// for a v outside. x grows and has at least 2 values.
func Interval(x []float64, v float64) int {
	low, high := 0, len(x)-1
	for high-low > 1 {
		if mid := (low + high) / 2; x[mid] <= v {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
