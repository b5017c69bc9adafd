package metric

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"headway/internal/series"
	"headway/record"
)

// steady finds the part of the run without its start and its tail.
//
// In a closed loop the part ends with the last instant at which nine tenths of
// the level were in flight. Leaving out the dips between would be wrong: every
// reply is followed by one while the next request starts, and a server that
// answers in rounds has them by nature. They are time in which less was served.
// It begins when the level was reached and each request that had started until
// then is over: those met in queues of their own making, since a closed loop
// starts with as many requests at one instant as it has slots. Where a warm-up
// handed its load over, that start was before. Where the load was kept up to the
// end, too, the part ends with the start of the first request that did so: where
// replies end together, rates are right over whole rounds of all slots.
//
// Latencies are of the requests that started in the part and before any that was
// still in flight at its end, since those had an emptier server for their last
// tokens; of all that started in it where that would be fewer than half.
//
// In an open loop it ends with the last start, and begins when the empty server
// has filled: when as many requests are over as are in flight on average, if half
// of all are still to come then. In both, what is left of the start is cut off by
// the data (series.Start).
func (v *view) steady(level int) *Steady {
	s := &Steady{Level: level}
	first, last, ok := v.c.times.window()
	if !ok {
		return nil
	}
	usual := max(1, int(math.Ceil(v.inFlight()))) // in flight
	begin, end := first, v.spans[v.order[len(v.order)-1]].start
	if level > 0 {
		usual = level
		if begin, end = v.bounds(level, first, last); end <= begin {
			return s
		}
		s.Reached, end = true, min(end, last)
	}
	warm := v.handedOver(usual, first)
	switch {
	case warm:
	case level > 0:
		begin = v.firstOver(begin)
	default:
		if at := v.firstOver(v.spans[v.order[min(len(v.order), usual)-1]].start); 2*v.place(at) <= len(v.order) {
			begin = at
		}
	}
	from := v.place(begin)
	v.holdsStart = level > 0 && from > 0
	if !warm {
		skip, still := v.start(from)
		s.Drifts = !still
		if from += skip; skip > 0 {
			begin = v.spans[v.order[from]].start
		}
	}
	to := v.place(end + 1)
	if next := v.keptUp(); warm && next > begin {
		end = next
	} else if lived := v.firstFlying(from, end); 2*(lived-from) >= to-from {
		to = lived
	}
	if end <= begin || to <= from {
		return s
	}
	v.lived = v.order[from:to]
	s.Part = v.part(begin, end, from, to, last-first)
	if s.Drifts {
		s.Part.without(NotStationary)
	}
	return s
}

// place is that of the first request in the order that started at an instant or
// later.
func (v *view) place(at record.Time) int {
	return sort.Search(len(v.order), func(i int) bool { return v.spans[v.order[i]].start >= at })
}

// handedOver reports whether a warm-up's load was in flight when the measured
// phase began, at least half of what usually is, so that there is no start in it.
// One that was drained has nothing in flight by then.
func (v *view) handedOver(usual int, first record.Time) bool {
	n := 0
	for _, s := range v.flights {
		if s.of != &v.c.times && s.start < first && s.end > first {
			n++
		}
	}
	return n >= (usual+1)/2
}

// keptUp is the start of the first request that only kept the load up after the
// last measured one had started; 0 where there is none.
func (v *view) keptUp() record.Time {
	last := v.spans[v.order[len(v.order)-1]].start
	for _, s := range v.flights {
		if s.of != &v.c.times && s.start >= last {
			return s.start
		}
	}
	return 0
}

// firstOver is when the last of the requests that started up to an instant was
// over.
func (v *view) firstOver(at record.Time) record.Time {
	over := at
	for _, s := range v.flights {
		if s.start <= at {
			over = max(over, s.end)
		}
	}
	return over
}

// firstFlying is the first place after another of a request that was in flight
// at an instant and went on.
func (v *view) firstFlying(from int, at record.Time) int {
	for i, place := range v.order[from:] {
		if v.spans[place].end > at {
			return from + i
		}
	}
	return len(v.order)
}

// startLeast is how many values it takes to see a start in them.
const startLeast = 40

// start is how many requests after a place still belong to the start, and
// whether what follows neither rises nor falls.
func (v *view) start(from int) (skip int, still bool) {
	still = true
	for i, m := range v.c.table {
		if m.Tag != "time_to_first_token" && m.Tag != "request_latency" {
			continue
		}
		p, ok := v.population(i, slices.Index(latencies, m.Tag), from, len(v.order))
		if !ok || len(p.values) < startLeast || p.failed > 0 || p.cut != nil || len(p.values) < len(v.order)-from {
			continue
		}
		n, ok := series.Start(p.values, v.inFlight())
		if still = still && ok; ok {
			skip = max(skip, n)
		}
	}
	return skip, still
}

// delivered compares the planned starts of what was sent with the ends of good
// replies (requests/s); 0 is not known.
func (t *timeline) delivered() (offered, completed float64) {
	var planned, done, took []float64
	scheduled := true
	for p := range t.flown {
		planned = append(planned, seconds(p.planned))
		scheduled = scheduled && p.planned.Known()
		if p.is(spanValid) {
			done, took = append(done, seconds(p.end)), append(took, seconds(p.end-p.start))
		}
	}
	if len(done) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	last := math.Inf(1)
	if scheduled {
		last = slices.Max(planned)
		offered, _ = record.MiddleRate(planned, 0)
	}
	completed, _ = record.CompletedRate(done, last, Percentile(took, 50))
	if offered > 0 && len(done) < len(planned) {
		completed = min(completed, offered*float64(len(done))/float64(len(planned)))
	}
	return offered, completed
}

// share is the part of the time from one instant to another that lies after
// begin and not after end, 0 to 1.
func share(from, to, begin, end record.Time) float64 {
	if to <= from {
		if from > begin && from <= end {
			return 1
		}
		return 0
	}
	inside := min(to, end) - max(from, begin)
	return seconds(max(0, inside)) / seconds(to-from)
}

// bounds is the first instant of the measured phase at which nine tenths of the
// level were in flight, requests of a warm-up that handed its load over
// included, and the last at which they were; equal where they never were.
func (v *view) bounds(level int, first, last record.Time) (begin, end record.Time) {
	type change struct {
		at record.Time
		by int
	}
	changes := make([]change, 0, 2*len(v.flights))
	for _, p := range v.flights {
		if p.end > first {
			changes = append(changes, change{max(p.start, first), 1}, change{p.end, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	threshold := (9*level + 9) / 10 // rounded up
	flying, was := 0, 0
	for i, c := range changes {
		flying += c.by
		// Changes at one instant count together: a slot that is handed on at
		// once is neither free nor taken twice.
		if i+1 < len(changes) && changes[i+1].at == c.at {
			continue
		}
		if flying >= threshold && begin == 0 {
			begin = c.at
		}
		if was >= threshold && flying < threshold {
			end = c.at
		}
		was = flying
	}
	return begin, end
}
