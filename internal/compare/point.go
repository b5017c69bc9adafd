package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// point is a load of one side with the runs that were made of it.
type point struct {
	name string
	runs []run
}

func (p *point) first() run { return p.runs[0] }

const (
	// likeLengths is by how much measured mean input lengths of repeats may differ, and
	// matchedLengths by how much those of two sides, which another tokenizer may have
	// counted. Settings do not tell them all: points of a profile have lengths of
	// their own.
	likeLengths, matchedLengths = 0.02, 0.1
	// drawn is how many standard errors apart are two means of what was drawn alike.
	drawn = 5
)

// otherLengths says that two runs had inputs of different lengths, by more than a
// share and more than what is drawn differs by chance.
func otherLengths(a, b run, share float64) bool {
	x, _ := a.lengths()
	y, _ := b.lengths()
	return apartBy(x, y) > share && math.Abs(x-y) > drawn*math.Sqrt(a.spread()+b.spread())
}

// apartBy is by which share two lengths differ; 0 where one is not known.
func apartBy(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return math.Abs(a-b) / max(a, b)
}

// pointsOf puts runs of one load together. Runs of other names are repeats where
// nothing says that they are of another endpoint.
func pointsOf(runs []run) []*point {
	var all []*point
	for _, r := range runs {
		i := slices.IndexFunc(all, func(p *point) bool { return repeats(p.first(), r) })
		if i < 0 {
			all = append(all, &point{name: r.name, runs: []run{r}})
			continue
		}
		all[i].runs = append(all[i].runs, r)
	}
	slices.SortStableFunc(all, (*point).order)
	return all
}

// without is a point of a baseline for two sides. Runs of a side of several are left
// out, since they speak for themselves: their variation would count twice, as if there
// were twice as many. It is nil where none are left.
func (p *point) without(sides ...*point) *point {
	left := &point{name: p.name, runs: p.runs}
	for _, side := range sides {
		if len(side.runs) > 1 {
			left.runs = others(left.runs, side.runs)
		}
	}
	if len(left.runs) == 0 {
		return nil
	}
	return left
}

// order is that of loads in tables: by level, then by length.
func (p *point) order(q *point) int {
	a, b := p.first(), q.first()
	aIn, _ := a.lengths()
	bIn, _ := b.lengths()
	x, y := a.report.Run.Header, b.report.Run.Header
	return cmp.Or(cmp.Compare(x.Concurrency, y.Concurrency), cmp.Compare(x.Rate, y.Rate), cmp.Compare(aIn, bIn))
}

// repeats says that b is a repeat of a.
func repeats(a, b run) bool {
	if len(unlike(a.load, b.load)) > 0 || otherLengths(a, b, likeLengths) {
		return false
	}
	return a.name == b.name || !a.pinned && !b.pinned && len(targetOf(a, b)) == 0
}

// targetOf are the settings in which two runs differ that name what was measured.
func targetOf(a, b run) []string {
	return slices.DeleteFunc(unlike(a.others, b.others), func(name string) bool {
		return name == "headway" || name == "client"
	})
}

// pair is a point of either side with the same load.
type pair struct{ a, b *point }

// match pairs the points of two sides. What is left over has a sentence that says
// which settings stand against it.
func match(a, b []*point) (pairs []pair, left []string) {
	taken := map[*point]bool{}
	for _, p := range a {
		best, distance := (*point)(nil), math.Inf(1)
		for _, q := range b {
			if d := distanceOf(p, q); !taken[q] && d < distance {
				best, distance = q, d
			}
		}
		if best == nil {
			left = append(left, lone(p, b, "first"))
			continue
		}
		taken[best] = true
		pairs = append(pairs, pair{p, best})
	}
	for _, q := range b {
		if !taken[q] {
			left = append(left, lone(q, a, "second"))
		}
	}
	return pairs, left
}

// distanceOf is how far two points are from each other: 0 of the same, infinite of
// those that cannot be compared.
func distanceOf(p, q *point) float64 {
	a, b := p.first(), q.first()
	aIn, aOut := a.lengths()
	bIn, bOut := b.lengths()
	if len(unlike(a.load, b.load)) > 0 || otherLengths(a, b, matchedLengths) {
		return math.Inf(1)
	}
	d := apartBy(aIn, bIn) + apartBy(aOut, bOut)
	switch {
	case a.name == b.name:
		return d
	case a.pinned && b.pinned:
		return math.Inf(1) // arms of benchmarks have names that mean something
	}
	return 1 + d
}

// lone says why a point has none to be compared with, by the nearest of others.
func lone(p *point, others []*point, side string) string {
	var nearest []string
	least := math.Inf(1)
	for _, q := range others {
		why := against(p.first(), q.first())
		cost := float64(len(why))
		if p.first().load["concurrency"] != q.first().load["concurrency"] {
			cost += 0.5 // of the same level it is more telling what else differs
		}
		if len(why) > 0 && cost < least {
			nearest, least = why, cost
		}
	}
	text := fmt.Sprintf("%s: only on the %s side", p.label(), side)
	if nearest != nil {
		text += "; the nearest of the other differs in " + strings.Join(nearest, ", ")
	}
	return text
}

// against are the settings, and else the lengths, that keep two runs from being
// compared, with both values.
func against(a, b run) (why []string) {
	for _, name := range unlike(a.load, b.load) {
		why = append(why, fmt.Sprintf("%s %s against %s", name, named(a.load[name]), named(b.load[name])))
	}
	if len(why) == 0 && otherLengths(a, b, matchedLengths) {
		x, _ := a.lengths()
		y, _ := b.lengths()
		why = append(why, fmt.Sprintf("mean input length %.0f against %.0f tokens", x, y))
	}
	return why
}

func named(v string) string {
	if v == "" {
		return "not set"
	}
	return v
}

// label is the load in words.
func (p *point) label() string {
	r := p.first()
	h := r.report.Run.Header
	var parts []string
	if r.pinned {
		parts = append(parts, r.name)
	}
	switch {
	case h.Rate > 0:
		parts = append(parts, fmt.Sprintf("rate %g/s", h.Rate))
	case h.Concurrency > 0:
		parts = append(parts, fmt.Sprintf("concurrency %d", h.Concurrency))
	}
	if in, out := r.lengths(); in > 0 {
		parts = append(parts, fmt.Sprintf("%.0f → %.0f tokens", in, out))
	}
	if len(parts) == 0 {
		return r.path
	}
	return strings.Join(parts, ", ")
}

// requests is the least number of measured requests of a run.
func (p *point) requests() int {
	least := math.MaxInt
	for _, r := range p.runs {
		n := r.report.Result.OK
		if lead, _ := r.report.Result.Lead(); lead != nil {
			n = lead.Requests
		}
		least = min(least, n)
	}
	return least
}

// seeds says whether the runs of a side have a seed in common with each other and not
// with those of another side.
func repeatedSeeds(a, b *point) bool {
	of := func(p *point) (seeds []uint64, repeated bool) {
		for _, r := range p.runs {
			seed := r.report.Run.Seed
			repeated = repeated || slices.Contains(seeds, seed)
			seeds = append(seeds, seed)
		}
		return seeds, repeated
	}
	as, aTwice := of(a)
	bs, bTwice := of(b)
	slices.Sort(as)
	slices.Sort(bs)
	return (aTwice || bTwice) && !slices.Equal(slices.Compact(as), slices.Compact(bs))
}
