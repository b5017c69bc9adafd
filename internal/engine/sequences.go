package engine

// sequences is what heaps of sequences have in common, all of heap.Interface but
// the order. A sequence knows its place, so that it can leave from the middle.
type sequences []*sequence

func (q sequences) Len() int { return len(q) }

func (q sequences) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].heapIndex, q[j].heapIndex = i, j
}

func (q *sequences) Push(x any) {
	s := x.(*sequence)
	s.heapIndex = len(*q)
	*q = append(*q, s)
}

func (q *sequences) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	s.heapIndex = -1
	return s
}
