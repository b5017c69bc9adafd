package report

import (
	"fmt"

	"headway/record"
)

// ScheduleText describes the planned arrivals as they were drawn; what so few
// of them do not say is left out.
func ScheduleText(s record.Schedule) string {
	text := fmt.Sprintf("%d arrivals over %.3f sec", s.Count, s.Span)
	if s.Count == 1 {
		text = fmt.Sprintf("1 arrival at %.3f sec", s.Span)
	}
	if s.Rate.Known() {
		text += fmt.Sprintf(", %.4g requests/sec", s.Rate)
	}
	separator := "; "
	for _, f := range []struct {
		name  string
		value record.Number
	}{{"variance/mean of counts", s.Dispersion}, {"gap CV²", s.GapCV2}} {
		if f.value.Known() {
			text += fmt.Sprintf("%s%s %.3f", separator, f.name, f.value)
			separator = ", "
		}
	}
	return text
}
