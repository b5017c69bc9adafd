package metric

import "headway/record"

// Offsets are the times of a reply's arrivals with text in nanoseconds after
// the request's start, as they were measured and whatever became of the
// request; nil where it was not sent and
// of a Sparse Record. One that lies before the start is
// negative.
func Offsets(r *record.Record) []int64 {
	if !r.Start.Known() || r.Sparse {
		return nil
	}
	var list []int64
	for i := range r.Arrivals {
		if a := &r.Arrivals[i]; a.Kind.Text() {
			list = append(list, int64(a.At-r.Start))
		}
	}
	return list
}
