package fit

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"time"

	"headway/internal/fault"
	"headway/record"
)

// ReadLoad makes a load of the Records of a run: the replies that came whole, in
// the order of their plan, with the lengths that the server counted where it
// did. Warm-up requests are part of it, since they are on the server too.
func ReadLoad(r io.Reader, name string) (*Load, error) {
	in, err := record.NewReader(r, name)
	if err != nil {
		return nil, err
	}
	var all []*record.Record
	for {
		rec, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, rec)
	}
	h := in.Header()
	concurrency := h.Concurrency
	if h.Schedule.Timed {
		concurrency = 0
	}
	l, err := newLoad(name, all, concurrency)
	if err != nil {
		return nil, err
	}
	l.doubt(all, in)
	return l, nil
}

func newLoad(name string, all []*record.Record, concurrency int) (*Load, error) {
	l := &Load{Name: name, Concurrency: concurrency}
	whole := slices.DeleteFunc(slices.Clone(all), func(r *record.Record) bool { return !isWhole(r) })
	if len(whole) == 0 {
		return nil, fault.New("%s: no streamed reply with text; measure with %s", name, fault.Field("streaming"))
	}
	slices.SortStableFunc(whole, func(a, b *record.Record) int { return cmp.Compare(a.Start, b.Start) })
	origin := whole[0].Start
	for _, r := range whole {
		in, out, reasoning := r.ServerTokens()
		if in < 0 {
			in = max(r.TokensIn, r.PlannedISL)
		}
		if out < 0 {
			out = max(r.TokensOut, 1)
		}
		l.Requests = append(l.Requests, Request{At: time.Duration(r.Start - origin), ISL: max(in, 1),
			OSL: out + max(reasoning, 0)})
		t := timesOf(r)
		t.Start = time.Duration(r.Start - origin)
		l.Seen = append(l.Seen, t)
	}
	return l, nil
}
