package cluster

import "time"

// memberHeap is the workers that have something to do, by when, then by
// number. It is written out because it is the innermost loop of a replay.
type memberHeap []*member

func (a *member) before(b *member) bool {
	return a.at < b.at || a.at == b.at && a.number < b.number
}

// set says when a worker is due, earlier or later than before.
func (h *memberHeap) set(m *member, at time.Duration) {
	m.at = at
	if m.heap < 0 {
		m.heap = len(*h)
		*h = append(*h, m)
	}
	h.down(h.up(m.heap))
}

func (h *memberHeap) remove(m *member) {
	i := m.heap
	if i < 0 {
		return
	}
	last := len(*h) - 1
	h.swap(i, last)
	*h = (*h)[:last]
	m.heap = -1
	if i < last {
		h.down(h.up(i))
	}
}

func (h memberHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heap, h[j].heap = i, j
}

func (h memberHeap) up(i int) int {
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].before(h[parent]) {
			break
		}
		h.swap(i, parent)
		i = parent
	}
	return i
}

func (h memberHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(h[i]) {
			return
		}
		h.swap(i, child)
		i = child
	}
}
