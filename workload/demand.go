package workload

import (
	"container/heap"
	"time"
)

// What a request is taken to last before anything is known of the server. It is
// slow for an engine, so that a schedule rarely needs more connections than
// Connections says, and those that it does not need cost an idle socket each.
const (
	assumedWait   = time.Second
	assumedToken  = 25 * time.Millisecond
	assumedTokens = 256 // where no length is asked for
)

// Connections is how many requests of the plan will be under way at once, at
// most limit: the slots of a closed loop that get a session, or with planned
// times the most that overlap where each lasts a second and 25 ms for each token
// that is asked for. A faulty Source is counted up to its fault.
func (p Plan) Connections(limit int) int {
	if p.Concurrency > 0 {
		limit = min(limit, p.Concurrency)
	}
	var ends instants
	most := 0
	for r, err := range p.Source {
		if err != nil || most >= limit {
			break
		}
		if r.Turn > 0 && !r.Timed {
			continue // over its session's connection
		}
		for r.Timed && len(ends) > 0 && ends[0] <= r.At {
			heap.Pop(&ends)
		}
		heap.Push(&ends, r.At+assumedLatency(r))
		most = max(most, len(ends))
	}
	return min(most, limit)
}

func assumedLatency(r Request) time.Duration {
	n := r.OutputTokens
	if n <= 0 {
		n = assumedTokens
	}
	return assumedWait + time.Duration(n)*assumedToken
}

// instants is a heap whose first element is the earliest.
type instants []time.Duration

func (h instants) Len() int           { return len(h) }
func (h instants) Less(i, j int) bool { return h[i] < h[j] }
func (h instants) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is heap.Interface's.
func (h *instants) Push(x any) { *h = append(*h, x.(time.Duration)) }

// Pop is heap.Interface's.
func (h *instants) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
