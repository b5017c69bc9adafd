package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"headway/workload"
)

// Load is recorded requests in the order of their times, cut into windows.
type Load struct {
	// Name is that of the file.
	Name string
	// Window is the length of each.
	Window time.Duration

	requests []workload.Request
	// fresh are the tokens of each prompt that no earlier one began with.
	fresh   []int
	windows []window
	within  []int32 // the window of each request
}

// window is requests that were sent in the same span.
type window struct {
	begin    time.Duration // from the start of the load
	from, to int           // requests, to is the first of the next
}

// Hour is the unit of plans that change.
const Hour = time.Hour

// NewLoad takes the requests of a file as a load. Each needs a time, a length and a
// length of its reply; the error names the first that has none. Turns of a session count
// as requests of their own, at their own times.
func NewLoad(d *workload.Dataset, length time.Duration, seed uint64) (*Load, error) {
	l := &Load{Name: d.Name, Window: length}
	if d.LiveTurns > 0 {
		return nil, fmt.Errorf("planning for %s: %d later turns go on with what was replied, and have no prompt of "+
			"their own: %w; give a trace whose prompts are whole", d.Name, d.LiveTurns, workload.ErrNotBuilt)
	}
	for r, err := range d.Source(workload.Seed(seed)) {
		if err == nil {
			err = usable(r)
		}
		if err != nil {
			return nil, fmt.Errorf("planning for %s: request %d: %w", d.Name, r.Index+1, err)
		}
		r.Turn, r.Turns = 0, 1
		l.requests = append(l.requests, r)
	}
	slices.SortStableFunc(l.requests, func(a, b workload.Request) int { return cmp.Compare(a.At, b.At) })
	zero := l.requests[0].At
	for i := range l.requests {
		l.requests[i].At -= zero
	}
	l.cut()
	l.freshen()
	return l, nil
}

// usable says what a request lacks.
func usable(r workload.Request) error {
	switch {
	case !r.Timed:
		return errors.New("no time of its own: a plan needs when each request came")
	case r.Prompt.Length() == 0:
		return errors.New("its prompt is text: give lengths, for example by `headway trace convert`")
	case r.OutputTokens == 0:
		return errors.New("no length of the reply: a plan needs how long each was")
	}
	return nil
}

// cut finds the windows that have requests.
func (l *Load) cut() {
	l.within = make([]int32, len(l.requests))
	for i, r := range l.requests {
		begin := r.At / l.Window * l.Window
		if n := len(l.windows); n == 0 || l.windows[n-1].begin != begin {
			l.windows = append(l.windows, window{begin: begin, from: i})
		}
		l.windows[len(l.windows)-1].to = i + 1
		l.within[i] = int32(len(l.windows) - 1)
	}
}

// freshen finds what of each prompt is new: a cache that never forgets, shared by all
// replicas, computes no less.
func (l *Load) freshen() {
	seen := map[int64]struct{}{}
	l.fresh = make([]int, len(l.requests))
	for i, r := range l.requests {
		known, leading := 0, true
		for _, id := range r.Prompt.Blocks {
			_, there := seen[id]
			if leading = leading && there; leading {
				known += r.Prompt.BlockSize
			}
			seen[id] = struct{}{}
		}
		l.fresh[i] = max(r.Prompt.Length()-known, 1)
	}
}

// span is how long replicas are needed for: all windows from the first to the last.
func (l *Load) span() time.Duration { return l.windows[len(l.windows)-1].begin + l.Window }

// hours is the number of hours, begun ones included.
func (l *Load) hours() int { return int((l.span() + Hour - 1) / Hour) }

// part is consecutive windows, judged, with requests before them that are replayed and
// not judged.
type part struct {
	lead       int // the first request that is replayed
	first, end int // windows that are judged; end is the first that is not
}

// whole is all of the load.
func (l *Load) whole() part { return part{0, 0, len(l.windows)} }

// hour is the part of one hour, with the window before it as the lead-in; ok is false
// where nothing was sent.
func (l *Load) hour(n int) (p part, ok bool) {
	at := func(t time.Duration) int {
		i, _ := slices.BinarySearchFunc(l.windows, t, func(w window, t time.Duration) int {
			return cmp.Compare(w.begin, t)
		})
		return i
	}
	p.first, p.end = at(time.Duration(n)*Hour), at(time.Duration(n+1)*Hour)
	if p.first == p.end {
		return p, false
	}
	p.lead = l.windows[max(p.first-1, 0)].from
	return p, true
}

// source is the requests of a part as a plan has them.
func (l *Load) source(p part) (workload.Source, int) {
	requests := l.requests[p.lead:l.windows[p.end-1].to]
	return func(yield func(workload.Request, error) bool) {
		for i, r := range requests {
			r.Index, r.Session = i, strconv.Itoa(i)
			r.At -= requests[0].At
			if !yield(r, nil) {
				return
			}
		}
	}, len(requests)
}
