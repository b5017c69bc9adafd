package audit

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headway/record"
)

// good is an audit with nothing to say against it.
func good() *record.Audit {
	return &record.Audit{
		MedianTTFT: 0.05,
		Schedule: &record.AuditSchedule{Lateness: record.AuditSpread{Count: 100, P50: 20e-6, P90: 50e-6,
			P99: 100e-6, Max: 1e-3},
			Planned: 10, Achieved: 10.001, AskedRate: 10, PlannedRate: 9.9, SentRate: 9.9},
		Load:     record.AuditLoad{Sent: 100, Mean: 3, Peak: 8, Requests: 10, Events: 1000},
		Arrivals: record.AuditArrivals{Count: 10000, Coalesced: 100},
		ReadLag:  &record.AuditSpread{Count: 9900, P50: 20e-6, P90: 40e-6, P99: 90e-6, Max: 1e-3},
		ProbeLag: &record.AuditSpread{Count: 1000, P50: 20e-6, P90: 40e-6, P99: 90e-6, Max: 1e-3},
		Runtime:  record.AuditRuntime{Processors: 2},
		Machine:  &record.AuditMachine{Process: 0.2, ProcessPeak: 0.3, Host: 0.3, HostPeak: 0.4, FileLimit: 1024},
	}
}

func backlog(b record.AuditBacklog) func(*record.Audit) {
	return func(a *record.Audit) { a.Backlog = &b }
}

// judgeCases are the cases of TestJudge.
var judgeCases = []struct {
	name    string
	change  func(*record.Audit)
	lag     time.Duration
	verdict record.Verdict
	code    string
	says    string // in the reason's advice
}{
	{"all is well", func(*record.Audit) {}, 0, record.AuditValid, "", ""},
	{"late by the bound and no more",
		func(a *record.Audit) { a.Schedule.PlannedRate, a.Schedule.Lateness.P99 = 100, 1e-3 }, 0,
		record.AuditDoubtful, "late_sends", ""},
	{"late by exactly half",
		func(a *record.Audit) { a.Schedule.PlannedRate, a.Schedule.Lateness.P99 = 100, 0.5e-3 }, 0,
		record.AuditValid, "", ""},
	{"late by more", func(a *record.Audit) { a.Schedule.PlannedRate, a.Schedule.Lateness.P99 = 100, 1.001e-3 }, 0,
		record.AuditInvalid, "late_sends", "lower the rate"},
	{"a slow schedule allows more",
		func(a *record.Audit) { a.Schedule.PlannedRate, a.Schedule.Lateness.P99 = 1, 24.9e-3 }, 0,
		record.AuditValid, "", ""},
	{"and no more than 5 %", func(a *record.Audit) { a.Schedule.PlannedRate, a.Schedule.Lateness.P99 = 1, 50.1e-3 },
		0, record.AuditInvalid, "late_sends", ""},
	{"a slow server allows no more", func(a *record.Audit) {
		a.MedianTTFT, a.Schedule.PlannedRate, a.Schedule.Lateness.P99 = 1, 100, 1.001e-3
	}, 0, record.AuditInvalid, "late_sends", ""},
	{"the user's bound is stricter", func(a *record.Audit) { a.Schedule.Lateness.P99 = 0.2e-3 },
		100 * time.Microsecond, record.AuditInvalid, "late_sends", ""},
	{"or wider", func(a *record.Audit) { a.Schedule.Lateness.P99 = 4e-3 }, 10 * time.Millisecond,
		record.AuditValid, "", ""},
	{"a closed loop cannot be late", func(a *record.Audit) { a.Schedule = nil }, 0, record.AuditValid, "", ""},

	{"span too long", func(a *record.Audit) { a.Schedule.Achieved = 10.11 }, 0, record.AuditInvalid,
		"schedule_span", ""},
	{"span too short", func(a *record.Audit) { a.Schedule.Achieved = 9.89 }, 0, record.AuditInvalid,
		"schedule_span", ""},
	{"span too long, and as much lag allowed", func(a *record.Audit) { a.Schedule.Achieved = 10.11 },
		300 * time.Millisecond, record.AuditValid, "", ""},
	{"span too long, and less lag allowed", func(a *record.Audit) { a.Schedule.Achieved = 10.11 },
		100 * time.Millisecond, record.AuditInvalid, "schedule_span", ""},
	{"span near the bound", func(a *record.Audit) { a.Schedule.Achieved = 10.06 }, 0, record.AuditDoubtful,
		"schedule_span", ""},
	{"1 % of a short span is less than a request may be late",
		func(a *record.Audit) { a.Schedule.Planned, a.Schedule.Achieved = 0.02, 0.0204 }, 0,
		record.AuditValid, "", ""},
	{"one request has no span", func(a *record.Audit) {
		a.Schedule.Lateness.Count, a.Schedule.Planned, a.Schedule.Achieved = 1, 0, 0
	}, 0, record.AuditValid, "", ""},

	{"user stamps that are on time", func(a *record.Audit) { a.Arrivals.UserspaceStamps = 10000 }, 0,
		record.AuditValid, "", ""},
	{"few late user stamps", func(a *record.Audit) { a.Arrivals.UserspaceStamps, a.ReadLag.P99 = 50, 5e-3 }, 0,
		record.AuditValid, "", ""},
	{"some late user stamps", func(a *record.Audit) { a.Arrivals.UserspaceStamps, a.ReadLag.P99 = 60, 5e-3 }, 0,
		record.AuditDoubtful, "late_stamps", ""},
	{"late user stamps", func(a *record.Audit) { a.Arrivals.UserspaceStamps, a.ReadLag.P99 = 101, 5e-3 }, 0,
		record.AuditInvalid, "late_stamps", "kernel's stamps"},
	{"as late as half the bound",
		func(a *record.Audit) { a.Arrivals.UserspaceStamps, a.ReadLag.P99 = 10000, 0.6e-3 }, 0,
		record.AuditDoubtful, "late_stamps", ""},
	{"the probe alone knows",
		func(a *record.Audit) { a.Arrivals.UserspaceStamps, a.ReadLag, a.ProbeLag.P99 = 10000, nil, 2e-3 }, 0,
		record.AuditInvalid, "late_stamps", ""},
	{"nothing knows", func(a *record.Audit) { a.Arrivals.UserspaceStamps, a.ReadLag, a.ProbeLag = 10000, nil, nil },
		0, record.AuditDoubtful, "late_stamps", ""},
	{"late reads with the kernel's stamps", func(a *record.Audit) { a.ReadLag.P99, a.ProbeLag.P99 = 1, 1 }, 0,
		record.AuditValid, "", ""},

	{"5 % read together", func(a *record.Audit) { a.Arrivals.Coalesced = 500 }, 0, record.AuditValid, "", ""},
	{"more, and the client is quick", func(a *record.Audit) { a.Arrivals.Coalesced = 501 }, 0, record.AuditDoubtful,
		"shared_reads", "the server sends several chunks at once"},
	{"more, and the client is slow", func(a *record.Audit) { a.Arrivals.Coalesced, a.ReadLag.P99 = 501, 3e-3 }, 0,
		record.AuditDoubtful, "shared_reads", "lower the load"},
	{"nothing arrived", func(a *record.Audit) { a.Arrivals = record.AuditArrivals{} }, 0,
		record.AuditValid, "", ""},

	{"80 % of the calibration", func(a *record.Audit) {
		a.Calibration = &record.AuditCalibration{Events: 1250, Streams: 10, Requests: 12.5}
	}, 0, record.AuditValid, "", ""},
	{"more events", func(a *record.Audit) { a.Calibration = &record.AuditCalibration{Events: 1249} }, 0,
		record.AuditDoubtful, "near_events", ""},
	{"more streams", func(a *record.Audit) { a.Calibration = &record.AuditCalibration{Streams: 9} }, 0,
		record.AuditDoubtful, "near_streams", ""},
	{"more requests", func(a *record.Audit) { a.Calibration = &record.AuditCalibration{Requests: 12} }, 0,
		record.AuditDoubtful, "near_requests", ""},
	{"a calibration without figures", func(a *record.Audit) { a.Calibration = &record.AuditCalibration{} }, 0,
		record.AuditValid, "", ""},

	{"few Records wait", backlog(record.AuditBacklog{Records: 9, Bytes: 500, Limit: 1000}), 0,
		record.AuditValid, "", ""},
	{"Records pile up", backlog(record.AuditBacklog{Records: 9, Bytes: 501e6, Limit: 1000e6}), 0,
		record.AuditDoubtful, "records_piled_up", "faster disk"},
	{"as many as there are places end at once", func(a *record.Audit) {
		a.Load.Asked, a.Backlog = 9, &record.AuditBacklog{Records: 9, Bytes: 501, Limit: 1000}
	}, 0, record.AuditValid, "", ""},
	{"requests held back for a moment",
		backlog(record.AuditBacklog{Records: 9, Bytes: 1001, Limit: 1000, HeldRequests: 1, Held: 0.1}), 0,
		record.AuditDoubtful, "records_piled_up", ""},
	{"requests held back", backlog(record.AuditBacklog{Records: 9, Bytes: 1001, Limit: 1000, HeldRequests: 1,
		Held: 0.11}), 0, record.AuditInvalid, "records_piled_up", ""},
	{"no limit is known", backlog(record.AuditBacklog{Records: 9, Bytes: 1001}), 0, record.AuditValid, "", ""},

	{"the worst reason counts",
		func(a *record.Audit) { a.Schedule.Lateness.P99, a.Arrivals.Coalesced = 6e-3, 5000 }, 0,
		record.AuditInvalid, "late_sends", ""},
}

func TestJudge(t *testing.T) {
	tests := judgeCases
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := good()
			tt.change(a)
			Judge(a, tt.lag)
			if a.Verdict != tt.verdict {
				t.Fatalf("%s, not %s: %+v", a.Verdict, tt.verdict, a.Reasons)
			}
			if (len(a.Reasons) == 0) != (tt.code == "") {
				t.Fatalf("reasons: %+v", a.Reasons)
			}
			if tt.code == "" {
				return
			}
			r := a.Reasons[0]
			if r.Code != tt.code || r.Level != tt.verdict || r.Found == "" || r.Bound == "" ||
				!strings.Contains(r.Change, tt.says) || r.Change == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// What is told to do about it follows from what the machine did.
func TestCauses(t *testing.T) {
	for says, change := range map[string]func(*record.Audit){
		"--concurrency":            func(a *record.Audit) { a.Load.Asked, a.Load.Peak = 8, 8 },
		"the hypervisor":           func(a *record.Audit) { a.Machine.StolenPeak = 0.1 },
		"limit of CPU":             func(a *record.Audit) { a.Machine.Throttled = 0.5 },
		"GOMAXPROCS":               func(a *record.Audit) { a.Machine.ProcessPeak = 1.9 },
		"a machine of its own":     func(a *record.Audit) { a.Machine.HostPeak = 0.99 },
		"GOGC":                     func(a *record.Audit) { a.Machine, a.Runtime.PauseMax = nil, 0.02 },
		"waited up to 5 ms":        func(a *record.Audit) { a.Runtime.WaitP99 = 5e-3 },
		"nothing else to do, or a": func(*record.Audit) {},
	} {
		a := good()
		a.Schedule.Lateness.P99 = 10e-3
		change(a)
		Judge(a, 0)
		if a.Verdict != record.AuditInvalid || !strings.Contains(a.Reasons[0].Change, says) {
			t.Errorf("%q is not in %+v", says, a.Reasons)
		}
	}
}

// A stored audit is judged again with the same result, and a wider bound never
// makes a verdict worse.
func TestJudgeAgain(t *testing.T) {
	rank := []record.Verdict{record.AuditValid, record.AuditDoubtful, record.AuditInvalid}
	rapid.Check(t, func(t *rapid.T) {
		a := good()
		a.Schedule.Lateness.P99 = rapid.Float64Range(0, 0.1).Draw(t, "late")
		a.Schedule.Achieved = rapid.Float64Range(9, 11).Draw(t, "span")
		a.Arrivals.UserspaceStamps = rapid.IntRange(0, 300).Draw(t, "user")
		a.ReadLag.P99 = rapid.Float64Range(0, 0.1).Draw(t, "lag")
		lag := time.Duration(rapid.Int64Range(1, int64(time.Second)).Draw(t, "bound"))
		Judge(a, lag)
		first, reasons := a.Verdict, slices.Clone(a.Reasons)
		Judge(a, lag)
		if a.Verdict != first || !slices.Equal(a.Reasons, reasons) {
			t.Fatalf("%s, then %s", first, a.Verdict)
		}
		Judge(a, 2*lag)
		if slices.Index(rank, a.Verdict) > slices.Index(rank, first) {
			t.Fatalf("%s with a bound of %v, %s with twice that", first, lag, a.Verdict)
		}
	})
}

func TestLength(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0", 12e-6: "12 µs", 1.234e-3: "1.23 ms", 0.5: "500 ms",
		12.3456: "12.35 s", math.Nextafter(1e-3, 0): "1 ms", math.Nextafter(1, 0): "1 s"} {
		if got := length(seconds); got != want {
			t.Errorf("%v is shown as %q, not %q", seconds, got, want)
		}
	}
}

// The size of what waited is said, and for how long requests did for it.
func TestPiledUpIsSaid(t *testing.T) {
	a := good()
	backlog(record.AuditBacklog{Records: 12345, Bytes: 1_090_000_000, Limit: 1 << 30, HeldRequests: 7, Held: 2.5})(a)
	Judge(a, 0)
	want := "1.09 GB of finished requests (12345 of them) waited in memory to be counted and written, and sending " +
		"was held back until there was room, 7 times, for 2.5 s in all"
	if a.Verdict != record.AuditInvalid || a.Reasons[0].Found != want ||
		a.Reasons[0].Bound != "holding requests back (above 1.07 GB) for more than 1 % of the time" {
		t.Errorf("%s %+v", a.Verdict, a.Reasons)
	}
}
