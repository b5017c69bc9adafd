package router

// whole is the weight of a block in active: weights are counted in 1/1024 of
// a block, so that sums of parts come out even however often they change.
const whole = 1024

// active counts the blocks of the running requests of each worker, each
// shared block once.
//
// The naive way is a count of holders for each block and worker, changed for
// every block of every request. But requests hold prefixes: what the requests
// of a worker hold is a tree, and each request is a path from its root. So it
// is enough to mark, when a request enters, the last block that it found
// there. Then as many requests hold a block as there are marks at or below
// it, plus one, and a block has as many marks as ways on (other blocks, or
// ends of requests), less one. The last marked block of a path is therefore
// the last one that another request holds, whoever came first, and a request
// that leaves takes the blocks behind it and that mark.
type active struct {
	held   *table
	marked *table
	more   map[holding]int32 // marks beyond the first
	faded  map[holding]int32 // weights other than whole
	sums   []int64           // by worker
	runs   []int32           // scratch, by worker
	alive  []uint64          // scratch, by word of workers
}

type holding struct {
	block  uint64
	worker int
}

func newActive(workers int) *active {
	return &active{
		held: newTable(workers), marked: newTable(workers),
		more: map[holding]int32{}, faded: map[holding]int32{}, sums: make([]int64, workers),
		runs: make([]int32, (workers+63)/64*64), alive: make([]uint64, (workers+63)/64),
	}
}

// blocks is the number held on a worker, parts included.
func (a *active) blocks(worker int) float64 { return float64(a.sums[worker]) / whole }

// found sets out, by worker, to how many of a prompt's leading blocks the
// running requests hold.
func (a *active) found(blocks []uint64, out []int) {
	a.held.runs(blocks, a.runs, a.alive)
	for w := range out {
		out[w] = int(a.runs[w])
	}
}

// enter adds a request that found so many of its leading blocks.
func (a *active) enter(worker int, blocks []uint64, found int) {
	if found > 0 {
		last := blocks[found-1]
		if !a.marked.add(worker, last) {
			a.more[holding{last, worker}]++
		}
	}
	if len(a.faded) > 0 {
		a.weigh(worker, blocks[:found], whole)
	}
	for _, b := range blocks[found:] {
		if a.held.add(worker, b) {
			a.sums[worker] += whole
		}
	}
}

func (a *active) leave(worker int, blocks []uint64) {
	shared := a.shared(worker, blocks)
	if shared > 0 {
		h := holding{blocks[shared-1], worker}
		switch n := a.more[h]; n {
		case 0:
			a.marked.remove(worker, h.block)
		case 1:
			delete(a.more, h)
		default:
			a.more[h] = n - 1
		}
	}
	if len(a.faded) > 0 {
		a.weigh(worker, blocks[shared:], whole)
	}
	for _, b := range blocks[shared:] {
		if a.held.remove(worker, b) {
			a.sums[worker] -= whole
		}
	}
}

// shared is how many of a request's blocks other requests hold too.
func (a *active) shared(worker int, blocks []uint64) int {
	n := len(blocks)
	for n > 0 && !a.marked.has(worker, blocks[n-1]) {
		n--
	}
	return n
}

// fade sets the weight of those blocks of a request that no other holds.
func (a *active) fade(worker int, blocks []uint64, weight int32) {
	a.weigh(worker, blocks[a.shared(worker, blocks):], weight)
}

func (a *active) weigh(worker int, blocks []uint64, weight int32) {
	for _, b := range blocks {
		h := holding{b, worker}
		before, ok := a.faded[h]
		if !ok {
			before = whole
		}
		a.sums[worker] += int64(weight - before)
		if weight == whole {
			delete(a.faded, h)
		} else {
			a.faded[h] = weight
		}
	}
}
