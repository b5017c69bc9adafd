package report

import (
	"fmt"
	"strings"

	"headway/record"
)

// foretold adds where the figures of a calibrated simulation's server are expected.
func (d *Document) foretold(f *record.Foretold) {
	if f == nil || len(f.Figures) == 0 {
		return
	}
	d.Gap()
	rows := [][]string{{"by the twin", "stat", "unit", "simulated", "expected", "level"}}
	var said expectedNotes
	for _, c := range f.Figures {
		expected, level := "no interval", ""
		switch {
		case c.Why != "":
			said.say("no interval: "+c.Why, strings.TrimSpace(c.Metric+" "+c.Stat))
		case c.Level == 0:
			expected, level = "≈ "+significant(c.Low)+"–"+significant(c.High), "none"
		default:
			expected = significant(c.Low) + "–" + significant(c.High)
			level = fmt.Sprintf("%.0f %%", 100*c.Level)
		}
		rows = append(rows, []string{c.Metric, c.Stat, c.Unit, significant(c.Value), expected, level})
	}
	d.Rows(3, rows)
	said.write(d)
	d.Line("figures of other tables have no interval: the twin is not judged by them")
	if len(f.Beyond) > 0 {
		d.Line("outside of what the twin has seen: %s: its intervals extrapolate", strings.Join(f.Beyond, ", "))
	}
	for _, doubt := range f.Doubts {
		d.Line("less sure than the intervals say: %s", doubt)
	}
}
