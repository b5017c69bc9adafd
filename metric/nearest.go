package metric

import (
	"maps"
	"math"
	"slices"
)

// nearestTag is the tag, or the tag of the alias, that takes the fewest
// insertions, deletions and replacements of bytes to write; of equals the
// first in the table.
func nearestTag(name string) string {
	best, least := "", math.MaxInt
	for _, m := range byTokens {
		if d := distance(name, m.Tag); d < least {
			best, least = m.Tag, d
		}
	}
	for _, m := range byTokens {
		for _, alias := range aliasesOf(m.Tag) {
			if d := distance(name, alias); d < least {
				best, least = m.Tag, d
			}
		}
	}
	return best
}

// aliasesOf are the other names of a tag, sorted.
func aliasesOf(tag string) []string {
	names := slices.Sorted(maps.Keys(aliases))
	return slices.DeleteFunc(names, func(alias string) bool { return aliases[alias] != tag })
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
