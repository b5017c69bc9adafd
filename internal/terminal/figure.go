package terminal

import (
	"fmt"
	"headway/internal/plain"
	"math"
	"strconv"
	"time"
)

// unknown stands for a figure that is not known yet.
const unknown = "–"

// figure writes a rate or a latency with three digits or, from 100 up, as a
// whole number: 8.11, 45.2, 2,236. More would not stand still.
func figure(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(int64(math.Round(min(v, 1e15))))
}

// millis writes seconds as milliseconds, without the unit.
func millis(seconds float64) string { return figure(seconds * 1e3) }

// grouped writes n with commas between thousands.
func grouped(n int64) string { return plain.Grouped(strconv.FormatInt(n, 10)) }

// percent writes a share of 0 to 1 rounded down, so that 100 % is the end.
func percent(share float64) string {
	return strconv.Itoa(int(share*100+1e-9)) + " %"
}

// clock writes a time as 0:07, 12:34 or 1:02:03, rounded down to a second.
func clock(d time.Duration) string {
	s := int64(max(0, d) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// countdown is clock rounded up: 0:00 is when nothing is left.
func countdown(d time.Duration) string {
	if part := d % time.Second; part > 0 {
		d += time.Second - part
	}
	return clock(d)
}
