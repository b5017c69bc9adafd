package workload

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Window chooses and moves a part of a schedule.
type Window struct {
	// Start and End are times of the file, both inclusive: sessions that
	// begin outside, and turns after End, are left out. Nil is no bound.
	Start, End *time.Duration
	// KeepOffset leaves the file's zero where Start is nil: a first request at
	// 5 s is then sent after 5 s. Otherwise the first one is sent at once.
	KeepOffset bool
	// Speedup divides times and delays; 0 is 1.
	Speedup float64
}

// Source yields the requests as they stand in the file, times included. Text
// that has only a length is made of the key and the place in the plan, so that
// no two requests share a beginning; blocks that have an id are made of the key
// and the id, so that they share exactly what the trace says.
func (d *Dataset) Source(key Key) Source { return planned(d.Requests, key) }

func planned(requests []Request, key Key) Source {
	return func(yield func(Request, error) bool) {
		for _, r := range requests {
			if !yield(keyed(r, key, 1), nil) {
				return
			}
		}
	}
}

// keyed gives a prompt of a length its own text, and its block ids the world of
// the round through the file, counted from 1.
func keyed(r Request, key Key, round int) Request {
	if r.Prompt.Tokens > 0 {
		r.Prompt.Key = key.Named("prompt").Index(r.Index)
	}
	if len(r.Prompt.Blocks) > 0 {
		r.Prompt.BlockKey = key.Named("blocks").Index(round - 1)
	}
	return r
}

// Fixed yields the requests as the schedule that their times are: each session
// at its own time after the zero of the window, later turns at their own times,
// else their delay after the reply before them, else at once. The key is that of
// [Dataset.Source].
func (d *Dataset) Fixed(w Window, key Key) (Source, error) {
	if w.Speedup == 0 {
		w.Speedup = 1
	}
	if !(w.Speedup > 0 && w.Speedup <= 1e9) {
		return nil, fmt.Errorf("replaying %s: speed-up ratio %v: must be above 0 and at most 1e9", d.Name, w.Speedup)
	}
	for i, r := range d.Requests {
		if r.Turn == 0 && !r.Timed {
			return nil, fmt.Errorf("replaying %s as a fixed schedule: %w", d.Name,
				&LineError{d.Name, d.lines[i], errors.New("no timestamp; every first turn needs one")})
		}
	}
	kept, err := d.within(w)
	if err != nil {
		return nil, err
	}
	zero := time.Duration(0)
	switch {
	case w.Start != nil:
		zero = *w.Start
	case !w.KeepOffset:
		zero = kept[0].At
	}
	return each(planned(kept, key), func(r *Request) {
		if r.Timed {
			r.At = time.Duration(float64(r.At-zero) / w.Speedup)
		}
		r.Delay = time.Duration(float64(r.Delay) / w.Speedup)
	}), nil
}

// within returns the requests inside the window, numbered anew.
func (d *Dataset) within(w Window) ([]Request, error) {
	if w.Start == nil && w.End == nil {
		return d.Requests, nil
	}
	if w.Start != nil && w.End != nil && *w.Start > *w.End {
		return nil, fmt.Errorf("replaying %s: the start offset %s ms is after the end offset %s ms",
			d.Name, formatMillis(*w.Start), formatMillis(*w.End))
	}
	outside := func(r Request) bool {
		return r.Timed && (w.Start != nil && r.At < *w.Start || w.End != nil && r.At > *w.End)
	}
	var kept []Request
	for rest := d.Requests; len(rest) > 0; {
		session := rest[:rest[0].Turns]
		rest = rest[len(session):]
		turns := 0
		for turns < len(session) && !outside(session[turns]) {
			turns++
		}
		for _, r := range session[:turns] {
			r.Index, r.Turns = len(kept), turns
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("replaying %s: no request lies between the start and end offsets; its first is at %s ms",
			d.Name, formatMillis(d.Requests[0].At))
	}
	return kept, nil
}

// Sample yields sessions without end, in the order that the strategy and the
// key give, without times; a session that comes again has a new name, and new text
// where only a length or block ids are given: what it shares, it shares with the
// others of its round. Bound it with [Limit], time it with [Paced].
func (d *Dataset) Sample(strategy Sampling, key Key) Source {
	starts := make([]int, 0, d.Sessions)
	for i, r := range d.Requests {
		if r.Turn == 0 {
			starts = append(starts, i)
		}
	}
	again := d.repeatMark()
	return func(yield func(Request, error) bool) {
		order := strategy.order(key.Named("sampling"), len(starts))
		used := make([]int, len(starts))
		index := 0
		for i := 0; ; i++ {
			pick := order(i)
			used[pick]++
			first := starts[pick]
			for _, r := range d.Requests[first : first+d.Requests[first].Turns] {
				r.Index = index // before keyed, which uses it
				r.At, r.Timed = 0, false
				if used[pick] > 1 {
					r.Session = fmt.Sprintf("%s%s%d", r.Session, again, used[pick])
				}
				index++
				if !yield(keyed(r, key, used[pick]), nil) {
					return
				}
			}
		}
	}
}

// repeatMark is what stands before the number of a session that comes again: no
// session's name contains it, so that no new name is one of the file's.
func (d *Dataset) repeatMark() string {
	mark := "~"
	for _, r := range d.Requests {
		for strings.Contains(r.Session, mark) {
			mark += "~"
		}
	}
	return mark
}
