package router

// Overlap is how many of a prompt's leading blocks a worker has. Host goes on
// where Device ends, and Disk where Host ends.
type Overlap struct{ Device, Host, Disk int }

// index knows which worker has which blocks.
type index struct {
	workers int
	tables  [tiers]*table
	orphans int64
	runs    []int32  // scratch, by worker
	alive   []uint64 // scratch, by word of workers
}

func newIndex(workers int) *index {
	x := &index{workers: workers, runs: make([]int32, (workers+63)/64*64), alive: make([]uint64, (workers+63)/64)}
	for i := range x.tables {
		x.tables[i] = newTable(workers)
	}
	return x
}

func (x *index) apply(worker int, e Event) {
	t := x.tables[e.Tier]
	switch e.Kind {
	case Stored:
		if e.HasParent && !t.has(worker, e.Parent) {
			x.orphans++
		}
		for _, b := range e.Blocks {
			t.add(worker, b)
		}
	case Removed:
		for _, b := range e.Blocks {
			t.remove(worker, b)
		}
	case Cleared:
		for _, t := range x.tables {
			t.clearWorker(worker)
		}
	}
}

// overlaps sets out, by worker, for a prompt.
func (x *index) overlaps(blocks []uint64, out []Overlap) {
	x.tables[Device].runs(blocks, x.runs, x.alive)
	for w := range out {
		out[w] = Overlap{Device: int(x.runs[w])}
	}
	if x.tables[Host].empty() && x.tables[Disk].empty() {
		return
	}
	for w := range out {
		o := &out[w]
		o.Host = x.follow(Host, w, blocks[o.Device:])
		o.Disk = x.follow(Disk, w, blocks[o.Device+o.Host:])
	}
}

// follow counts the leading blocks that a worker has in a tier. The lower
// tiers are searched worker by worker: each begins at another block, and few
// set-ups have any.
func (x *index) follow(tier Tier, worker int, blocks []uint64) int {
	for i, b := range blocks {
		if !x.tables[tier].has(worker, b) {
			return i
		}
	}
	return len(blocks)
}

// overlap is that of one worker.
func (x *index) overlap(worker int, blocks []uint64) Overlap {
	device := x.follow(Device, worker, blocks)
	host := x.follow(Host, worker, blocks[device:])
	return Overlap{Device: device, Host: host, Disk: x.follow(Disk, worker, blocks[device+host:])}
}
