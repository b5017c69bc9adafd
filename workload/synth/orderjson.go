package synth

import "fmt"

// orderFile is where in the trace the rows of each node were: for one node after
// another those that leave it with text of their own, then those that end with it,
// at most so many of each (most; see thinPlaces). The first row of each list is its
// number in the trace from 0, the others the rows since the one before.
type orderFile struct {
	Most int   `json:"most"`
	At   []int `json:"at"`
}

func (m *Model) order() orderFile {
	f := orderFile{Most: m.places}
	for i := range m.nodes {
		for _, at := range [][]int{m.nodes[i].leafAt, m.nodes[i].endAt} {
			before := 0
			for _, row := range at {
				f.At = append(f.At, row-before)
				before = row
			}
		}
	}
	return f
}

// into gives the nodes their places, and returns the most of a list; 0 when the file
// has no order.
func (f orderFile) into(nodes []node, rows int) (int, error) {
	if f.Most == 0 && len(f.At) == 0 {
		return 0, nil
	}
	if f.Most < leastPlaces {
		return 0, fmt.Errorf("most %d: must be at least %d", f.Most, leastPlaces)
	}
	rest := f.At
	for i := range nodes {
		for _, list := range []struct {
			rows int
			at   *[]int
		}{{nodes[i].leaves, &nodes[i].leafAt}, {nodes[i].ends, &nodes[i].endAt}} {
			n := min(list.rows, f.Most)
			if n > len(rest) {
				return 0, fmt.Errorf("%d numbers: too few for the rows of node %d", len(f.At), i)
			}
			at, err := places(rest[:n], rows)
			if err != nil {
				return 0, fmt.Errorf("node %d: %w", i, err)
			}
			*list.at, rest = at, rest[n:]
		}
	}
	if len(rest) > 0 {
		return 0, fmt.Errorf("%d numbers: %d more than the nodes have rows", len(f.At), len(rest))
	}
	return f.Most, nil
}

// places sums up the steps of one list.
func places(steps []int, rows int) ([]int, error) {
	var at []int
	row := 0
	for _, step := range steps {
		if row += step; step < 0 || row < 0 || row >= rows {
			return nil, fmt.Errorf("row %d of %d: out of range", row, rows)
		}
		at = append(at, row)
	}
	return at, nil
}
