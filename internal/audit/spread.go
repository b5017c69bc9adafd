package audit

import (
	"maps"
	"slices"
	"time"

	"headway/record"
)

// spreadOf describes a histogram whose cells are named by the largest time in
// them, so that no quantile is too good; nil where nothing was counted.
func spreadOf(cells map[time.Duration]int64) *record.AuditSpread {
	var s record.AuditSpread
	bounds := slices.Sorted(maps.Keys(cells))
	for _, b := range bounds {
		if n := cells[b]; n > 0 {
			s.Count += n
			s.Max = b.Seconds()
		}
	}
	if s.Count == 0 {
		return nil
	}
	at := func(percent int64) float64 {
		rank := (s.Count*percent + 99) / 100 // the least rank with so much at or below it
		for _, b := range bounds {
			if rank -= max(0, cells[b]); rank <= 0 {
				return b.Seconds()
			}
		}
		return s.Max
	}
	s.P50, s.P90, s.P99 = at(50), at(90), at(99)
	return &s
}
