package audit

import (
	"strings"
	"testing"
	"time"

	"headway/record"
)

// streamed is good with what is known of a client that moved nothing.
func streamed() *record.Audit {
	a := good()
	a.Stamps = &record.AuditStamps{Count: 100, Gap: 0.01,
		TTFT: record.AuditShift{P50: 0.05, P99: 0.08, OwnP50: 0.05, OwnP99: 0.08, PromptP50: 0.05, PromptP99: 0.08},
		ITL:  &record.AuditShift{P50: 0.01, P99: 0.011, OwnP50: 0.01, OwnP99: 0.011, PromptP50: 0.01, PromptP99: 0.011}}
	a.ReadLag.P90, a.ProbeLag.P90 = 40e-6, 40e-6
	return a
}

// Late makes a client that is seldom on time.
func late(a *record.Audit) { a.ProbeLag.P50, a.ProbeLag.P90, a.ProbeLag.P99 = 5e-3, 40e-3, 80e-3 }

// busy makes a client that is late now and then.
func busy(a *record.Audit) { a.ProbeLag.P90, a.ProbeLag.P99 = 8e-3, 30e-3 }

// A verdict on the stamps follows from how far the client moved a quantile, as
// a part of what it is without the client, and from whether the client or the
// server made chunks come together.
func TestMoved(t *testing.T) {
	ttft := func(p50, own, prompt float64) func(*record.Audit) {
		return func(a *record.Audit) {
			s := &a.Stamps.TTFT
			s.P50, s.OwnP50, s.PromptP50 = p50, own, prompt
			a.Stamps.Shared, a.Stamps.Late = 60, 50
		}
	}
	itl := func(p99, own float64) func(*record.Audit) {
		return func(a *record.Audit) {
			s := a.Stamps.ITL
			s.P99, s.OwnP99, s.PromptP99 = p99, own, p99
			a.Stamps.Shared, a.Stamps.Late = 60, 50
		}
	}
	for _, tt := range []struct {
		name   string
		change []func(*record.Audit)
		want   record.Verdict
		code   string
	}{
		{"nothing moved", nil, record.AuditValid, ""},
		{"sent late by a busy client", []func(*record.Audit){busy, ttft(0.0526, 0.05, 0.05),
			func(a *record.Audit) { a.Stamps.Send.P50 = 0.0026 }}, record.AuditInvalid, "ttft_moved"},
		{"sent late by a little", []func(*record.Audit){ttft(0.0512, 0.05, 0.05)}, record.AuditValid, ""},
		{"sent late", []func(*record.Audit){ttft(0.0514, 0.05, 0.05)}, record.AuditDoubtful, "ttft_moved"},
		{"sent too late", []func(*record.Audit){ttft(0.0526, 0.05, 0.05),
			func(a *record.Audit) { a.Stamps.Send.P50 = 0.0026 }}, record.AuditInvalid, "ttft_moved"},
		{"a starved client's own median is no measure", []func(*record.Audit){ttft(0.765, 0.0607, 0.0607),
			func(a *record.Audit) { a.Stamps.Send.P50 = 0.704 }}, record.AuditInvalid, "ttft_moved"},
		{"a millisecond is allowed", []func(*record.Audit){ttft(0.0024, 0.002, 0.002)}, record.AuditValid, ""},
		{"read late by a starved client", []func(*record.Audit){late, ttft(0.07, 0.06, 0.07)}, record.AuditInvalid,
			"ttft_moved"},
		{"read together, and nobody knows why", []func(*record.Audit){busy, ttft(0.07, 0.06, 0.07)},
			record.AuditDoubtful, "ttft_moved"},
		{"sent together", []func(*record.Audit){ttft(0.07, 0.06, 0.07), func(a *record.Audit) { a.Stamps.Late = 5 }},
			record.AuditValid, ""},
		{"sent together, and lags say nothing of a late client",
			[]func(*record.Audit){late, ttft(0.07, 0.06, 0.07), func(a *record.Audit) { a.Stamps.Late = 5 }},
			record.AuditInvalid, "ttft_moved"},
		{"ITL of a starved client", []func(*record.Audit){late, itl(0.0042, 0.0102)}, record.AuditInvalid, "itl_moved"},
		{"ITL by less than 0.2 ms", []func(*record.Audit){late, itl(0.0011, 0.0012)}, record.AuditValid, ""},
		{"a full program", []func(*record.Audit){itl(0.0042, 0.0102),
			func(a *record.Audit) { a.Machine.ProcessPeak = 1.9 }}, record.AuditInvalid, "itl_moved"},
		{"nothing answered", []func(*record.Audit){func(a *record.Audit) { a.Load.NoneAnswered = true }},
			record.AuditDoubtful, "nothing_answered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := streamed()
			for _, f := range tt.change {
				f(a)
			}
			Judge(a, 0)
			if a.StampsVerdict != tt.want || a.ScheduleVerdict != record.AuditValid || a.Verdict != tt.want {
				t.Fatalf("%s (%s, %s): %+v", a.Verdict, a.StampsVerdict, a.ScheduleVerdict, a.Reasons)
			}
			if tt.code != "" && (a.Reasons[0].Code != tt.code || a.Reasons[0].About != record.AboutStamps) {
				t.Errorf("%+v", a.Reasons)
			}
		})
	}
}

// The bound of the user's is that of every latency.
func TestMovedByMaxLag(t *testing.T) {
	a := streamed()
	a.Stamps.TTFT.P50 += 3e-3
	Judge(a, 4*time.Millisecond)
	if a.StampsVerdict != record.AuditDoubtful || !strings.Contains(a.Reasons[0].Bound, "--max-lag") {
		t.Errorf("%+v", a.Reasons)
	}
	Judge(a, 7*time.Millisecond)
	if a.StampsVerdict != record.AuditValid {
		t.Errorf("%+v", a.Reasons)
	}
}

// The two questions have their own answers, and a closed loop has no schedule.
func TestTwoVerdicts(t *testing.T) {
	a := streamed()
	a.Schedule.Lateness.P99 = 1
	Judge(a, 0)
	if a.StampsVerdict != record.AuditValid || a.ScheduleVerdict != record.AuditInvalid ||
		a.Verdict != record.AuditInvalid {
		t.Errorf("late sends: %s, %s", a.StampsVerdict, a.ScheduleVerdict)
	}
	a = streamed()
	a.Schedule = nil
	late(a)
	a.Stamps.ITL.OwnP50 = 0.02
	Judge(a, 0)
	if a.StampsVerdict != record.AuditInvalid || a.ScheduleVerdict != "" || a.Verdict != record.AuditInvalid {
		t.Errorf("late reads of a closed loop: %s, %q", a.StampsVerdict, a.ScheduleVerdict)
	}
}

// Time is stolen from a processor that is wanted: where a machine's own work
// fills it, that is named and not the hypervisor.
func TestStealOfAFullHost(t *testing.T) {
	for _, tt := range []struct {
		host, stolen float64
		says         string
	}{
		{1, 0.03, "the machine was busy to 100 %"},
		{0.95, 0.04, "the machine was busy to 95 %"},
		{0.6, 0.03, "the hypervisor gave up to 3 %"},
		{1, 0.3, "the hypervisor gave up to 30 %"},
	} {
		a := good()
		a.Schedule.Lateness.P99, a.Machine.HostPeak, a.Machine.StolenPeak = 1, tt.host, tt.stolen
		Judge(a, 0)
		if !strings.Contains(a.Reasons[0].Change, tt.says) {
			t.Errorf("%.0f %% busy, %.0f %% stolen: %s", 100*tt.host, 100*tt.stolen, a.Reasons[0].Change)
		}
	}
}
