package fit

import "math"

// Loads are cut into blocks of consecutive requests, at least fewestInBlock of
// them and blocksOfLoad of a long load; fewestBlocks give an interval a level.
const (
	fewestInBlock = 25
	blocksOfLoad  = 6
	fewestBlocks  = 10
)

// blocks are where the blocks of a load begin and end. What comes to a cold server
// belongs to none, and a closed loop is cut between its waves.
func (l *Load) blocks() [][2]int {
	first := l.cold()
	size := max(fewestInBlock, l.Concurrency, (len(l.Requests)-first)/blocksOfLoad)
	var all [][2]int
	for at := first; at+size <= len(l.Requests); at += size {
		all = append(all, [2]int{at, at + size})
	}
	if len(all) == 0 && len(l.Requests) > first {
		all = append(all, [2]int{first, len(l.Requests)})
	}
	return all
}

func blocksOf(loads []*Load) int {
	n := 0
	for _, l := range loads {
		n += len(l.blocks())
	}
	return n
}

// addResiduals adds the logarithms of measured over simulated figures of a load's
// blocks. How far a block is from the mean of its load counts by what it leaves of
// the figure of the whole load, the root of how many blocks there are.
func (l *Load) addResiduals(sim []Times, to map[string][]float64) {
	of := map[string][]float64{}
	for _, b := range l.blocks() {
		part := &Load{Requests: l.Requests[b[0]:b[1]]}
		simulated := figures(part, sim[b[0]:b[1]])
		for i, c := range figures(part, l.Seen[b[0]:b[1]]) {
			if ratio := c.Measured / simulated[i].Measured; ratio > 0 && !math.IsInf(ratio, 0) {
				of[c.Figure] = append(of[c.Figure], math.Log(ratio))
			}
		}
	}
	for figure, x := range of {
		m := mean(x)
		for _, v := range x {
			to[figure] = append(to[figure], rounded(m+(v-m)/math.Sqrt(float64(len(x)))))
		}
	}
}
