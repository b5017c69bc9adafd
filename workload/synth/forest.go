package synth

import "headway/workload"

// forest is the blocks of a trace as a prefix tree: a node for every different
// block after a different prefix, numbered in the order in which they first
// appear, so that a parent comes before its children.
type forest struct {
	paths  [][]int32 // of each row, from its first block
	parent []int32   // of each node, -1 for a first block
	visits []int32   // rows that pass through each node
	ids    int       // blocks of all rows
	split  int       // nodes beyond the first of one id
}

// newForest numbers the blocks of rows. An id that appears after different
// prefixes, which the format forbids, counts as a different block each time, as
// it does in Dynamo's hasher of (parent, content).
func newForest(rows []workload.Row) *forest {
	f := &forest{paths: make([][]int32, len(rows))}
	largest := int64(0)
	for i := range rows {
		f.ids += len(rows[i].HashIDs)
		for _, id := range rows[i].HashIDs {
			largest = max(largest, id)
		}
	}
	first := newFirstNodes(largest, f.ids)
	others := map[otherNode]int32{}
	all := make([]int32, 0, f.ids)
	for i := range rows {
		from, at := len(all), int32(-1)
		for _, id := range rows[i].HashIDs {
			n := first.get(id)
			switch {
			case n < 0:
				n = f.add(at)
				first.set(id, n)
			case f.parent[n] != at:
				key := otherNode{at, id}
				other, there := others[key]
				if !there {
					other = f.add(at)
					others[key] = other
					f.split++
				}
				n = other
			}
			f.visits[n]++
			all = append(all, n)
			at = n
		}
		f.paths[i] = all[from:len(all):len(all)]
	}
	return f
}

func (f *forest) add(parent int32) int32 {
	f.parent = append(f.parent, parent)
	f.visits = append(f.visits, 0)
	return int32(len(f.parent) - 1)
}

// shared is how many blocks of a path other rows have, too. They are always the
// first ones.
func (f *forest) shared(path []int32) int {
	n := 0
	for n < len(path) && f.visits[path[n]] > 1 {
		n++
	}
	return n
}

// otherNode is an id after a prefix that is not the one it first had.
type otherNode struct {
	parent int32
	id     int64
}

// firstNodes finds the first node of an id: in a table where ids are small
// numbers, as in the public traces, which is ten times as fast as a map.
type firstNodes struct {
	table []int32 // node+1
	byID  map[int64]int32
}

func newFirstNodes(largest int64, ids int) firstNodes {
	if largest <= 4*int64(ids)+1024 {
		return firstNodes{table: make([]int32, largest+1)}
	}
	return firstNodes{byID: make(map[int64]int32, ids)}
}

func (f firstNodes) get(id int64) int32 {
	if f.table != nil {
		return f.table[id] - 1
	}
	return f.byID[id] - 1
}

func (f firstNodes) set(id int64, node int32) {
	if f.table != nil {
		f.table[id] = node + 1
		return
	}
	f.byID[id] = node + 1
}
