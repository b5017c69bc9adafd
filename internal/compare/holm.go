package compare

import (
	"cmp"
	"slices"
)

// holm corrects p-values for their number (Holm, Scandinavian J. Statistics 6, 1979):
// one of them is below a level by chance no more often than that level, whatever
// depends on what. It is never weaker than Bonferroni's correction.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out, least := make([]float64, len(p)), 0.0
	for rank, i := range order {
		least = max(least, min(1, p[i]*float64(len(p)-rank)))
		out[i] = least
	}
	return out
}
