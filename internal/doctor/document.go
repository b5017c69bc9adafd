package doctor

import (
	"fmt"
	"strings"

	"headway/internal/plain"
	"headway/report"
)

// Document shows the results of a subject, of failures those alone where that is
// asked for; nil where nothing is to be shown.
func (s Subject) Document(all []Result, onlyFailed bool) *report.Document {
	var list []report.Checked
	counts := map[Status]int{}
	for _, r := range all {
		counts[r.Status]++
		if r.Status == Fail || !onlyFailed {
			list = append(list, report.Checked{Name: r.Name, Status: string(r.Status), Seen: r.Seen, Do: r.Do})
		}
	}
	if len(list) == 0 {
		return nil
	}
	d := report.OfChecks("headway doctor | "+plain.Line(s.Secrets.Text(s.Title)), list)
	if !onlyFailed {
		d.Line("%s", counted(counts))
		d.Gap()
	}
	return d
}

// counted says how many checks ended in which way.
func counted(counts map[Status]int) string {
	parts := []string{fmt.Sprintf("%d ok", counts[OK]), plain.HowMany(counts[Warn], "warning", "warnings"),
		fmt.Sprintf("%d failed", counts[Fail])}
	if counts[Skipped] > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", counts[Skipped]))
	}
	return strings.Join(parts, ", ") + "."
}
