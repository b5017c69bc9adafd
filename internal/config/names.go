package config

import "slices"

// Options are the names that each option goes by, its own first.
type Options [][]string

// Has says whether an option goes by that name.
func (o Options) Has(name string) bool {
	return slices.ContainsFunc(o, func(names []string) bool { return slices.Contains(names, name) })
}

// Same says whether one option goes by both names.
func (o Options) Same(a, b string) bool {
	return slices.ContainsFunc(o, func(names []string) bool {
		return slices.Contains(names, a) && slices.Contains(names, b)
	})
}

// Names are all of them.
func (o Options) Names() []string { return slices.Concat(o...) }

// Nearest is the known name that is fewest edits away, "" where none is near.
func Nearest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := edits(name, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
