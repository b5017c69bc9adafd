package plan

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"headway/workload"
)

// slicesOfWindow are how many spans of equal length a window is cut into for drawing.
const slicesOfWindow = 10

// drawer draws loads like a recorded one: in each window, each slice of its time is
// replaced by one of the same window's slices, with replacement (the block bootstrap of
// Künsch, 1989). What moves are the sessions that begin in a slice, with all of their
// turns, so that what turns find in caches, the time between them and bursts within a
// slice stay, and their number in a window varies as that of the slices.
type drawer struct {
	load     *Load
	sessions [][]int
	owner    map[int64]int
	// begins are the sessions that begin in a slice, by window and slice.
	begins [][slicesOfWindow][]int
	slice  []time.Duration // the length of a slice, by window
}

func newDrawer(l *Load) *drawer {
	d := &drawer{load: l, sessions: l.sessions(), begins: make([][slicesOfWindow][]int, len(l.windows))}
	d.owner = l.owners(d.sessions)
	for i, w := range l.windows {
		length := l.Window
		if i == len(l.windows)-1 { // the recording ends within it
			length = l.requests[w.to-1].At - w.begin + 1
		}
		d.slice = append(d.slice, max((length+slicesOfWindow-1)/slicesOfWindow, 1))
	}
	for s, requests := range d.sessions {
		w := l.within[requests[0]]
		k := int((l.requests[requests[0]].At - l.windows[w].begin) / d.slice[w])
		d.begins[w][k] = append(d.begins[w][k], s)
	}
	return d
}

// draw is the requests of the nth drawn load that come in the span of a part, its lead-in
// included; nil where there are none.
func (d *drawer) draw(p part, seed uint64, n int) *Load {
	l := &Load{Name: d.load.Name, Window: d.load.Window}
	from, to := d.span(p)
	random := rand.New(rand.NewPCG(seed, 0x7269736b<<16+uint64(n)))
	copied := make([]int, len(d.sessions))
	for w := range d.begins {
		for k := range slicesOfWindow {
			other := random.IntN(slicesOfWindow)
			shift := time.Duration(k-other) * d.slice[w]
			for _, s := range d.begins[w][other] {
				for _, i := range d.sessions[s] {
					r := d.load.requests[i]
					if r.At += shift; r.At >= from && r.At < to {
						l.requests = append(l.requests, d.again(r, s, copied[s]))
					}
				}
				copied[s]++
			}
		}
	}
	if len(l.requests) == 0 {
		return nil
	}
	slices.SortStableFunc(l.requests, func(a, b workload.Request) int { return cmp.Compare(a.At, b.At) })
	l.cut()
	return l
}

// span is the time of a part with its lead-in. The last window of a load ends with its
// last slice.
func (d *drawer) span(p part) (from, to time.Duration) {
	from = d.load.windows[d.load.within[p.lead]].begin
	last := p.end - 1
	return from, d.load.windows[last].begin + min(d.load.Window, slicesOfWindow*d.slice[last])
}

// place finds the window of a drawn load that is the wth of the recorded one; ok is false
// where nothing was drawn for it.
func (d *drawer) place(drawn *Load, w int) (at int, ok bool) {
	return slices.BinarySearchFunc(drawn.windows, d.load.windows[w].begin, func(x window, begin time.Duration) int {
		return cmp.Compare(x.begin, begin)
	})
}
