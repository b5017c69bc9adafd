package audit

import (
	"fmt"

	"headway/record"
)

// Invalid says of a run that is not valid what was found, what to change, and
// what of it is right all the same; it is empty for any other, and for one
// without an audit.
func Invalid(a *record.Audit) string {
	if a == nil || a.Verdict != record.AuditInvalid {
		return ""
	}
	s := "the measurement is not valid"
	for _, r := range a.Reasons {
		if r.Level == record.AuditInvalid {
			s += fmt.Sprintf(": %s; %s", r.Found, r.Change)
			break
		}
	}
	switch {
	case a.StampsVerdict == record.AuditValid:
		s += "; the latencies are right, of another load than the planned one"
	case a.ScheduleVerdict == record.AuditValid:
		s += "; requests were sent as planned"
	}
	return s
}
