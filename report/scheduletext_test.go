package report

import (
	"testing"

	"headway/record"
)

func TestScheduleText(t *testing.T) {
	no := record.Unknown()
	for want, s := range map[string]record.Schedule{
		"1 arrival at 2.000 sec": {Count: 1, Span: 2,
			Rate: no, Dispersion: no, GapCV2: no},
		"2 arrivals over 2.000 sec, 0.5 requests/sec": {Count: 2, Span: 2,
			Rate: 0.5, Dispersion: no, GapCV2: no},
		"9 arrivals over 2.000 sec, 4 requests/sec; gap CV² 0.000": {Count: 9, Span: 2,
			Rate: 4, Dispersion: no},
		"90 arrivals over 2.000 sec, 45 requests/sec; variance/mean of counts 1.000, gap CV² 1.100": {Count: 90,
			Span: 2, Rate: 45, Dispersion: 1, GapCV2: 1.1},
	} {
		if got := ScheduleText(s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
