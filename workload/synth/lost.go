package synth

import "fmt"

// Lost says what of the trace the rows do not have that are drawn with these
// options, each a clause. Nobody should have to find out from a result.
func (m *Model) Lost(o Options) []string {
	lost := []string{"session ids and delays (each row stands for itself, at a time of its own)"}
	if m.Arrivals.Rate > 0 {
		switch {
		case o.Arrivals != Empirical:
			lost = append(lost, fmt.Sprintf("the gaps of its arrivals (they are %v)", o.Arrivals))
		default:
			lost = append(lost, "ebb and flow of its arrivals (gaps are drawn each by itself)")
		}
	}
	if !m.Prefixes {
		return append(lost, m.lostLengths(o)...)
	}
	p := plan{o: o, model: m}
	switch {
	case !m.ordered():
		lost = append(lost, "how soon prefixes come again (the model has no order of rows, "+
			"so caches hit less than with the trace; fit the trace again to keep it)")
	case !p.ordered():
		lost = append(lost, "how soon prefixes come again (they are drawn at random)")
	case m.places < m.largest():
		lost = append(lost, fmt.Sprintf("the exact distance of prefixes that more than %d rows share (the model "+
			"is compact)", m.places))
	}
	if o.roots() > 1 {
		lost = append(lost, fmt.Sprintf("how soon prefixes come again (each row takes one of %d copies)", o.roots()))
	}
	if o.filters() {
		lost = append(lost, "what the rows that are left out shared with the others")
	}
	return append(lost, m.lostLengths(o)...)
}

func (m *Model) lostLengths(o Options) []string {
	if o.KeepCorrelation {
		return []string{"when lengths were longer or shorter in the course of it"}
	}
	return []string{"how input, context and output lengths go together (each is drawn by itself)"}
}

// largest is how many rows leave the tree at the commonest place.
func (m *Model) largest() int {
	most := 0
	for _, n := range m.nodes {
		most = max(most, n.leaves, n.ends)
	}
	return most
}
