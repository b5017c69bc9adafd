package main

import (
	"fmt"
	"strings"

	"headway/record"
)

func (c *tally) add(v record.Verdict, ratio, share, seconds float64) {
	c.runs++
	c.worst = max(c.worst, seconds)
	switch v {
	case record.AuditValid:
		if c.valid++; ratio > 1 {
			c.missed++
		}
	case record.AuditDoubtful:
		if c.doubtful++; ratio > 1 {
			c.unsure++
		}
	case record.AuditInvalid:
		if c.invalid++; share < 0.01 && seconds < 0.2e-3 {
			c.wrong++
		}
	}
}

func (c *tally) text() string {
	return fmt.Sprintf("%d/%d/%d | %d/%d/%d | %.3g ms", c.valid, c.doubtful, c.invalid, c.missed, c.unsure, c.wrong,
		1e3*c.worst)
}

// verdictTable has a row for each load and one for all.
func verdictTable(loads []verdictLoad, runs []verdictRun) string {
	var b strings.Builder
	const of = " valid/doubtful/invalid | valid with an error above the bound/doubtful with one/invalid with one " +
		"below 1 % and 0.2 ms | largest error |"
	b.WriteString("| load | stamps:" + of + " schedule:" + of + "\n|---|---|---|---|---|---|---|\n")
	var stamps, schedule tally
	for _, l := range loads {
		var s, p tally
		for _, r := range runs {
			if r.Load == l.Name {
				r.count(&s, &p)
				r.count(&stamps, &schedule)
			}
		}
		if s.runs > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", l.Name, s.text(), p.text())
		}
	}
	fmt.Fprintf(&b, "| all %d | %s | %s |\n", len(runs), stamps.text(), schedule.text())
	return b.String()
}

// count adds a run to the tallies. The error of the stamps is the larger of
// TTFT's and ITL's against their bounds; that of the schedule is what the
// server saw requests come late by, of the mean time between sends.
func (v *verdictRun) count(stamps, schedule *tally) {
	ratio, share, seconds := v.TTFT.off(1e-3, 0)
	if r, s, x := v.ITL.off(0.2e-3, 0); r > ratio {
		ratio, share, seconds = r, s, x
	}
	stamps.add(v.Stamps, ratio, share, seconds)
	if v.Schedule != "" {
		seen := sided{Client: [2]float64{}, Server: v.Late.Server}
		ratio, _, _ = seen.off(1e-3, v.Gap)
		schedule.add(v.Schedule, ratio, v.Late.Server[1]/max(v.Gap, 1e-9), v.Late.Server[1])
	}
}

// tally counts verdicts, and those that the truth contradicts.
type tally struct {
	runs, valid, doubtful, invalid int
	missed                         int // valid where the error is above the bound
	unsure                         int // doubtful where it is
	wrong                          int // invalid where it is below 1 % and 0.2 ms
	worst                          float64
}
