package workload

import "fmt"

// Sampling is how the entries of a data set are taken for one session after
// another.
type Sampling uint8

const (
	// Sequential takes the entries in order and begins again after the last.
	Sequential Sampling = iota
	// Shuffle takes each entry once in random order, then again in another.
	Shuffle
	// Random takes any entry each time, so that some repeat before others
	// were taken.
	Random
)

var samplingNames = [...]string{"sequential", "shuffle", "random"}

// String is the name that --dataset-sampling-strategy takes.
func (s Sampling) String() string { return samplingNames[s] }

// ParseSampling reads a name that [Sampling.String] gives.
func ParseSampling(s string) (Sampling, error) {
	for i, name := range samplingNames {
		if s == name {
			return Sampling(i), nil
		}
	}
	return Sequential, fmt.Errorf("dataset sampling strategy %q: must be sequential, shuffle or random", s)
}

// order returns a function from the session's number to one of n entries. Only
// calls in rising order are cheap; the answers depend on the key alone.
func (s Sampling) order(key Key, n int) func(i int) int {
	switch s {
	case Shuffle:
		epoch, perm := -1, []int(nil)
		return func(i int) int {
			if e := i / n; e != epoch {
				epoch, perm = e, key.Index(e).Rand().Perm(n)
			}
			return perm[i%n]
		}
	case Random:
		return func(i int) int { return key.Index(i).Rand().IntN(n) }
	default:
		return func(i int) int { return i % n }
	}
}
