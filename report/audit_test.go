package report

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headway/record"
)

// audited is a run whose client was found to be so.
func audited(t *testing.T, c int, v record.Verdict) *Report {
	r := reportOf(t, made{C: c, N: 10, Seed: 3, GPUs: 8})
	a := &record.Audit{
		Verdict: v, Limit: 1e-3, MedianTTFT: 0.02,
		Schedule: &record.AuditSchedule{Lateness: record.AuditSpread{Count: 10, P50: 40e-6, P90: 90e-6, P99: 310e-6,
			Max: 1.2e-3},
			Planned: 1.8, Achieved: 1.802, AskedRate: 5, PlannedRate: 5, SentRate: 4.994},
		Load:     record.AuditLoad{Sent: 10, Asked: c, Mean: 1.25, Peak: c, Requests: 4.9, Events: 98},
		Arrivals: record.AuditArrivals{Count: 200, Coalesced: 2, UserspaceStamps: 1},
		ReadLag:  &record.AuditSpread{Count: 210, P50: 22e-6, P90: 60e-6, P99: 180e-6, Max: 1e-3},
		ProbeLag: &record.AuditSpread{Count: 180, P50: 21e-6, P90: 50e-6, P99: 170e-6, Max: 1e-3},
		Runtime:  record.AuditRuntime{Pauses: 3, PauseTotal: 1e-4, PauseMax: 80e-6, WaitP99: 20e-6, Processors: 2},
		Machine: &record.AuditMachine{Process: 0.42, ProcessPeak: 0.8, Host: 0.61, HostPeak: 0.97, StolenPeak: 0.015,
			Throttled: 0.25,
			Files:     14, FileLimit: 1024, Retransmits: 2, Segments: 5120},
		Calibration: &record.AuditCalibration{Events: 1e5, Streams: 10000, Requests: 5000},
	}
	if v != record.AuditValid {
		a.Schedule.Lateness.P99 = 2.3e-3
		a.Reasons = []record.AuditReason{
			{Level: v, Code: "late_sends",
				Found:  "sends were late by 2.3 ms at the 99th percentile (40 µs at the median)",
				Bound:  "more than 1 ms (the least that is held against a client)",
				Change: "the machine was busy to 97 %: stop what else runs there"},
			{Level: record.AuditDoubtful, Code: "near_streams",
				Found: "9000 streams at a time, where headway calibrate found this machine to carry 10000",
				Bound: "more than 80 %", Change: "lower the load"},
		}
	}
	if v != record.AuditDoubtful { // that is from before there were two verdicts
		a.StampsVerdict, a.ScheduleVerdict, a.ScheduleLimit = record.AuditValid, v, 1e-3
		a.Stamps = &record.AuditStamps{Count: 10, Shared: 1, Send: record.AuditSpread{Count: 10, P99: 20e-6},
			TTFT: record.AuditShift{P50: 0.02, P99: 0.03, OwnP50: 0.01999, OwnP99: 0.0299},
			ITL:  &record.AuditShift{P50: 0.01, P99: 0.011, OwnP50: 0.01, OwnP99: 0.01103}}
		for i := range a.Reasons {
			a.Reasons[i].About = []string{record.AboutSchedule, record.AboutStamps}[i]
		}
	}
	r.Run.Audit = a
	return r
}

var verdicts3 = []record.Verdict{record.AuditValid, record.AuditDoubtful, record.AuditInvalid}

func TestAuditGolden(t *testing.T) {
	for _, v := range verdicts3 {
		r := audited(t, 4, v)
		for _, width := range []int{140, 80} {
			got := string(render(t,
				func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{Width: width}) }))
			for line := range strings.SplitSeq(got, "\n") {
				if textWidth(line) > width {
					t.Errorf("width %d: a line of %d columns: %s", width, textWidth(line), line)
				}
			}
			_, block, found := strings.Cut(got, "Client: ")
			block, _, _ = strings.Cut(block, "\nWarning")
			if !found {
				t.Fatalf("no verdict in\n%s", got)
			}
			golden(t, fmt.Sprintf("audit-%s-%d.txt", v, width), []byte("Client: "+block+"\n"))
		}
	}
}

func TestAuditReadBack(t *testing.T) {
	for _, v := range verdicts3 {
		r := audited(t, 4, v)
		l, err := Read(bytes.NewReader(render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) })), "x")
		if err != nil || l.Verdict != v || !reflect.DeepEqual(l.Reasons, r.Run.Audit.Reasons) ||
			r.Invalid() != (v == record.AuditInvalid) {
			t.Errorf("%s is read back as %q, %+v, %v", v, l.Verdict, l.Reasons, err)
		}
	}
	l, err := Read(strings.NewReader(`{"request_count":{"unit":"requests","avg":1},`+
		`"headway":{"audit":{"verdict":"fine","reasons":[5]}}}`), "x")
	if err != nil || l.Verdict != "" {
		t.Errorf("a verdict that nobody gives: %+v, %v", l, err)
	}
}

// What is not known is left out and said; a run in virtual time has no client.
func TestAuditUnknown(t *testing.T) {
	r := audited(t, 4, record.AuditValid)
	a := r.Run.Audit
	a.Schedule = nil
	a.Machine = nil
	a.ReadLag = nil
	a.ProbeLag = nil
	a.Load.Asked = 0
	text := string(render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{}) }))
	if strings.Contains(text, "Sends:") || strings.Contains(text, "asked") ||
		!strings.Contains(text, "are not known on this system") {
		t.Error(text)
	}
	r.Run.Audit = nil
	text = string(render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{}) }))
	json := string(render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) }))
	if strings.Contains(text, "Client:") || strings.Contains(json, `"audit"`) {
		t.Error("a verdict without an audit")
	}
}

func TestAuditOfLevels(t *testing.T) {
	dir := t.TempDir()
	var levels []Level
	for i, c := range []int{1, 2, 5} {
		r := audited(t, c, verdicts3[i])
		levels = append(levels, Level{[]*Report{r}})
		if err := r.WriteFiles(filepath.Join(dir, "a", fmt.Sprint("c", c)), FileNames("")); err != nil {
			t.Fatal(err)
		}
	}
	for _, width := range []int{140, 80} {
		table := string(render(t,
			func(b *bytes.Buffer) error { return WriteLevels(b, levels, ConsoleOptions{Width: width}) }))
		flat := strings.ReplaceAll(table, "\n", " ")
		for _, want := range []string{"doubtful", "Client doubtful at 2: sends were late",
			"Client invalid at 5: sends were late", "Client doubtful at 2, 5, for example at 2: 9000 streams"} {
			if !strings.Contains(flat, want) {
				t.Errorf("width %d lacks %q:\n%s", width, want, table)
			}
		}
		if strings.Contains(flat, "valid at every level") {
			t.Errorf("said to be valid:\n%s", table)
		}
		for line := range strings.SplitSeq(table, "\n") {
			if textWidth(line) > width {
				t.Errorf("width %d: a line of %d columns: %s", width, textWidth(line), line)
			}
		}
	}
	if all := string(render(t,
		func(b *bytes.Buffer) error { return WriteLevels(b, levels[:1], ConsoleOptions{}) })); !strings.Contains(all,
		"Client: valid at every level.") {
		t.Error(all)
	}

	experiments, _, err := Tree(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	summary := string(render(t, func(b *bytes.Buffer) error { return WriteSummary(b, experiments, 0) }))
	for _, want := range []string{"\n│    doubtful │", "\n│     invalid │",
		"Client doubtful at concurrency 2: sends were late by 2.3 ms", "Client invalid at concurrency 5:"} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
	if _, best, _ := strings.Cut(summary, "Lowest time"); strings.Contains(best, "concurrency 5") {
		t.Errorf("a level that is not valid is among the best:\n%s", best)
	}
}
