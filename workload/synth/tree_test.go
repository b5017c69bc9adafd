package synth

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"headway/workload"
)

// rowsOf makes rows of full blocks.
func rowsOf(blockSize int, ids ...[]int64) []workload.Row {
	rows := make([]workload.Row, len(ids))
	for i, list := range ids {
		rows[i] = workload.Row{Timestamp: float64(100 * i), Timed: true, InputLength: len(list) * blockSize,
			OutputLength: i + 1, HashIDs: list}
	}
	return rows
}

func TestNormalise(t *testing.T) {
	const big = 1 << 60
	for _, c := range []struct {
		name  string
		rows  [][]int64
		want  [][]int32
		split int
	}{
		{"texts", [][]int64{{10, 11}, {10, 12}, {13, 11}}, [][]int32{{0, 1}, {0, 2}, {3, 4}}, 1},
		{"texts with large ids", [][]int64{{big, big + 1}, {big, big + 2}, {big + 3, big + 1}},
			[][]int32{{0, 1}, {0, 2}, {3, 4}}, 1},
		{"equal rows", [][]int64{{5, 6}, {5, 6}}, [][]int32{{0, 1}, {0, 1}}, 0},
		{"a block in two places", [][]int64{{1, 2}, {2}, {2, 1}, {2, 1}}, [][]int32{{0, 1}, {2}, {2, 3}, {2, 3}}, 2},
		{"none", [][]int64{nil, {4}, nil}, [][]int32{{}, {0}, {}}, 0},
	} {
		f := newForest(rowsOf(64, c.rows...))
		if !reflect.DeepEqual(f.paths, c.want) || f.split != c.split {
			t.Errorf("%s: %v with %d split, want %v with %d", c.name, f.paths, f.split, c.want, c.split)
		}
	}
}

// The tree of the six rows in Dynamo's tests, in the numbering of nodes here.
func TestTree(t *testing.T) {
	rows := rowsOf(512, []int64{0, 1}, []int64{0, 1, 2, 3, 4}, []int64{0, 1, 2, 3, 4, 5, 6}, []int64{7, 8},
		[]int64{7, 8, 9, 10}, []int64{11, 12})
	f := newForest(rows)
	nodes, terminals := buildTree(f)
	type facts struct{ parent, length, visits, leaves, ends int }
	v := visits(nodes)
	var got []facts
	for i, n := range nodes {
		got = append(got, facts{n.parent, n.length, v[i], n.leaves, n.ends})
	}
	want := []facts{{-1, 0, 6, 1, 0}, {0, 2, 3, 0, 1}, {1, 3, 2, 1, 1}, {0, 2, 2, 1, 1}}
	if !slices.Equal(got, want) {
		t.Errorf("nodes %v, want %v", got, want)
	}
	if want := []terminal{{1, false}, {2, false}, {2, true}, {3, false}, {3, true},
		{0, true}}; !slices.Equal(terminals, want) {
		t.Errorf("terminals %v, want %v", terminals, want)
	}
	m, err := Fit(rows, 512, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := m.plan(Options{})
	if fmt.Sprint(p.leafBlocks) != fmt.Sprint(counts{[]int{2}, []int{3}}) {
		t.Errorf("leaf lengths %v, want three of 2 blocks", p.leafBlocks)
	}
	// The chance to go on from a node, to leave it and to end there is that of
	// its rows, so a walk ends where the terminals say.
	got2 := map[terminal]int{}
	for i, at := range p.terminals {
		got2[at] = p.weights[i]
	}
	if want := map[terminal]int{{0, true}: 1, {1, false}: 1, {2, true}: 1, {2, false}: 1, {3, true}: 1,
		{3, false}: 1}; !reflect.DeepEqual(got2, want) {
		t.Errorf("weights %v, want %v", got2, want)
	}
}

// The example of the generator's README: prefixes twice as long.
func TestPrefixMultiplier(t *testing.T) {
	rows := rowsOf(8, []int64{0, 1, 2, 3}, []int64{0, 1}, []int64{0, 1, 2}, []int64{0, 4, 5})
	m, err := Fit(rows, 8, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		prefix float64
		want   []string // sorted
		own    int64    // first id that is not shared
	}{
		{1, []string{"[0 * *]", "[0 1 2 *]", "[0 1 2]", "[0 1]"}, 3},
		{2, []string{"[0 1 * *]", "[0 1 2 3 4 5 *]", "[0 1 2 3 4 5]", "[0 1 2 3]"}, 6},
		{1.5, []string{"[0 1 * *]", "[0 1 2 3 4 *]", "[0 1 2 3 4]", "[0 1 2]"}, 5},
		{0.4, []string{"[0 * *]", "[0 *]", "[0]", "[0]"}, 1},
	} {
		var got []string
		for _, r := range draw(t, m, Options{Requests: 4, PrefixLen: c.prefix, KeepCorrelation: true}) {
			s := "["
			for i, id := range r.HashIDs {
				if i > 0 {
					s += " "
				}
				if id >= c.own {
					s += "*"
				} else {
					s += fmt.Sprint(id)
				}
			}
			got = append(got, s+"]")
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("multiplier %v: %v, want %v", c.prefix, got, c.want)
		}
	}
}
