package synth

// node is a run of blocks that always follow each other, shared by at least two
// rows. Nodes are numbered with parents before children; number 0 is the root,
// which has no blocks and which every row passes.
type node struct {
	parent int // number of the node before; -1 for the root
	length int // in blocks
	leaves int // rows that go on from here with blocks of their own
	ends   int // rows that end with the last block of this node
	last   int // tokens in the last block of the rows that end here

	leafClass, endClass int // what such rows are like: index of a class, -1 none

	// leafAt and endAt are the numbers of such rows in the trace, rising; of many
	// some are kept, see between.
	leafAt, endAt []int
}

// terminal is where a row leaves the tree: the node, and whether it goes on with
// blocks of its own.
type terminal struct {
	node int
	leaf bool
}

// buildTree contracts the shared part of a forest, and returns for each row where
// it leaves it. Rows without blocks leave at the root.
func buildTree(f *forest) ([]node, []terminal) {
	nodes := []node{{parent: -1, leafClass: -1, endClass: -1}}
	in := make([]int, len(f.parent)) // node of each shared block
	for b, visits := range f.visits {
		if visits < 2 {
			continue
		}
		parent := 0
		if p := f.parent[b]; p >= 0 {
			parent = in[p]
			// Equal counts mean that all rows go on this way and none ends.
			if f.visits[p] == visits {
				in[b] = parent
				nodes[parent].length++
				continue
			}
		}
		in[b] = len(nodes)
		nodes = append(nodes, node{parent: parent, length: 1, leafClass: -1, endClass: -1})
	}
	terminals := make([]terminal, len(f.paths))
	for i, path := range f.paths {
		at := 0
		shared := f.shared(path)
		if shared > 0 {
			at = in[path[shared-1]]
		}
		leaf := shared < len(path) || len(path) == 0
		if leaf {
			nodes[at].leaves++
		} else {
			nodes[at].ends++
		}
		terminals[i] = terminal{at, leaf}
	}
	return nodes, terminals
}

// visits counts the rows that pass through each node.
func visits(nodes []node) []int {
	v := make([]int, len(nodes))
	for i := len(nodes) - 1; i >= 0; i-- {
		v[i] += nodes[i].leaves + nodes[i].ends
		if p := nodes[i].parent; p >= 0 {
			v[p] += v[i]
		}
	}
	return v
}

// depths returns for each node how many blocks there are from the root to its end.
func depths(nodes []node) []int {
	d := make([]int, len(nodes))
	for i := 1; i < len(nodes); i++ {
		d[i] = d[nodes[i].parent] + nodes[i].length
	}
	return d
}
