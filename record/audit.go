package record

import "slices"

// Verdict says whether the client was good enough for what was measured.
type Verdict string

// The verdicts, from good to bad.
const (
	// AuditValid: the client kept to the plan and its times are right.
	AuditValid Verdict = "valid"
	// AuditDoubtful: it was near a bound, and a reason says which.
	AuditDoubtful Verdict = "doubtful"
	// AuditInvalid: the figures are the client's and not the server's.
	AuditInvalid Verdict = "invalid"
)

// Worse is the worse of two verdicts; "" is none, and better than any.
func (v Verdict) Worse(other Verdict) Verdict {
	order := []Verdict{"", AuditValid, AuditDoubtful, AuditInvalid}
	return order[max(0, slices.Index(order, v), slices.Index(order, other))]
}

// Audit is what the client found out about itself in the measured phase, and
// the verdict that follows from it. Times are in seconds, shares from 0 to 1.
// What could not be measured is nil, or left out of the file.
type Audit struct {
	// Verdict is the worse of the two below. StampsVerdict says whether the
	// latencies are the server's, ScheduleVerdict whether requests were sent
	// when planned; both are empty in files from before there were two.
	Verdict         Verdict       `json:"verdict"`
	StampsVerdict   Verdict       `json:"stamps_verdict,omitempty"`
	ScheduleVerdict Verdict       `json:"schedule_verdict,omitempty"`
	Reasons         []AuditReason `json:"reasons,omitempty"`

	// Limit is the bound of a delay that the client adds to a latency,
	// ScheduleLimit that of the lateness of a send, both in seconds; LimitSet
	// says that they are the user's.
	Limit         float64 `json:"limit_s"`
	ScheduleLimit float64 `json:"schedule_limit_s,omitempty"`
	LimitSet      bool    `json:"limit_set,omitempty"`
	// MedianTTFT is as it was measured, the client's delays included.
	MedianTTFT float64 `json:"median_ttft_s,omitempty"`

	// Stamps is by how much the client moved latencies; nil where no reply
	// streamed, and in files from before it was kept.
	Stamps *AuditStamps `json:"stamps,omitempty"`

	// Schedule is nil in a closed loop, where nothing can be late.
	Schedule *AuditSchedule `json:"schedule,omitempty"`
	Load     AuditLoad      `json:"load"`
	Arrivals AuditArrivals  `json:"arrivals"`
	// ReadLag is how long data lay in the kernel before this program had read
	// it, of reads with a kernel stamp. ProbeLag is the same of a connection
	// of the program with itself, over which a byte goes every 10 ms.
	ReadLag  *AuditSpread `json:"read_lag,omitempty"`
	ProbeLag *AuditSpread `json:"probe_lag,omitempty"`

	// Backlog is nil in files of before it was kept.
	Backlog *AuditBacklog `json:"backlog,omitempty"`
	Runtime AuditRuntime  `json:"runtime"`
	Machine *AuditMachine `json:"machine,omitempty"`
	// Calibration is what this machine was found to carry; nil where nobody
	// has measured it.
	Calibration *AuditCalibration `json:"calibration,omitempty"`
}

// AuditReason is why a verdict is not valid.
type AuditReason struct {
	// Level is the verdict that this reason alone gives.
	Level Verdict `json:"level"`
	// About is the question that it answers: "stamps" or "schedule".
	About string `json:"about,omitempty"`
	// Code is short and stable ("late_sends"); Found says what was measured,
	// Bound what was allowed and Change what to do, each as text.
	Code   string `json:"code"`
	Found  string `json:"found"`
	Bound  string `json:"bound"`
	Change string `json:"change"`
}

// What an AuditReason is about.
const (
	AboutStamps   = "stamps"
	AboutSchedule = "schedule"
)

// AuditStamps is by how much the client itself moved the latencies that it
// measured, computed by metric.StampShift.
type AuditStamps struct {
	// Count is how many replies were looked at. Shared had their first text in
	// one read with another chunk, Late of these were read late by this program.
	Count  int `json:"count"`
	Shared int `json:"first_shared"`
	Late   int `json:"first_shared_late"`
	// Gap is the median of the time between chunks, in seconds.
	Gap float64 `json:"gap_s"`
	// Send is the time from the start of a request to its first bytes on the
	// wire, less the network's share.
	Send AuditSpread `json:"send"`
	// TTFT and ITL are quantiles over requests with and without the client's
	// share; nil where there is none.
	TTFT AuditShift  `json:"ttft"`
	ITL  *AuditShift `json:"itl,omitempty"`
}

// AuditShift is quantiles in seconds: as measured, without the client's share
// if it was the client that read several chunks at once, and if it was the
// server that sent them at once.
type AuditShift struct {
	P50       float64 `json:"p50_s"`
	P99       float64 `json:"p99_s"`
	OwnP50    float64 `json:"p50_without_client_s"`
	OwnP99    float64 `json:"p99_without_client_s"`
	PromptP50 float64 `json:"p50_if_prompt_s"`
	PromptP99 float64 `json:"p99_if_prompt_s"`
}

// AuditSpread describes a distribution of times in seconds.
type AuditSpread struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_s"`
	P90   float64 `json:"p90_s"`
	P99   float64 `json:"p99_s"`
	Max   float64 `json:"max_s"`
}

// AuditSchedule is how an open loop kept its planned times.
type AuditSchedule struct {
	// Lateness is that of the sends: metric.SendLateness.
	Lateness AuditSpread `json:"lateness"`
	// Planned and Achieved are the times from the first send to the last, as
	// planned and as they were.
	Planned  float64 `json:"planned_span_s"`
	Achieved float64 `json:"achieved_span_s"`
	// AskedRate is what the user asked for, 0 where the times came from a
	// file; PlannedRate and SentRate are those of the sends over both spans,
	// in requests per second; 0 where all were sent at one instant.
	AskedRate   float64 `json:"asked_rate,omitempty"`
	PlannedRate float64 `json:"planned_rate,omitempty"`
	SentRate    float64 `json:"sent_rate,omitempty"`
}

// AuditLoad is how much was on the server. Rates are per second.
type AuditLoad struct {
	Sent int `json:"sent"`
	// NoneAnswered says that none of them was answered.
	NoneAnswered bool `json:"none_answered,omitempty"`
	// Asked is the concurrency that was asked for, 0 where none was; Mean (over
	// the time from the first send to the last end) and Peak are what was in
	// flight.
	Asked int     `json:"asked_in_flight,omitempty"`
	Mean  float64 `json:"mean_in_flight"`
	Peak  int     `json:"peak_in_flight"`
	// Requests and Events are requests that ended and chunks that arrived, a
	// second, over the same time.
	Requests float64 `json:"requests_per_s"`
	Events   float64 `json:"events_per_s"`
}

// AuditArrivals counts the arrivals with text of all requests that were sent.
type AuditArrivals struct {
	Count int `json:"count"`
	// Coalesced were read in one read with another arrival with text.
	Coalesced int `json:"together"`
	// UserspaceStamps have the time of the read and not the kernel's.
	UserspaceStamps int `json:"user_stamped"`
}

// AuditBacklog is how finished Records waited in memory to be counted, reduced
// and written.
type AuditBacklog struct {
	// Records and Bytes (about) are those of the moment when the most waited,
	// Limit the bytes above which requests are held back.
	Records int `json:"records_peak"`
	Bytes   int `json:"bytes_peak"`
	Limit   int `json:"bytes_limit"`
	// HeldRequests were sent later, or not at all, since the limit was reached,
	// and Held is the time in seconds in which at least one of them waited.
	HeldRequests int     `json:"held_requests,omitempty"`
	Held         float64 `json:"held_s,omitempty"`
}

// AuditRuntime is what the program's own runtime says of the phase.
type AuditRuntime struct {
	// Pauses are the stops of the whole program for garbage collection, with
	// their sum and the longest (an upper bound, as the runtime keeps it).
	Pauses     int64   `json:"gc_pauses"`
	PauseTotal float64 `json:"gc_pause_total_s"`
	PauseMax   float64 `json:"gc_pause_max_s"`
	// WaitP99 is the 99th percentile of how long goroutines that could run
	// waited for a processor.
	WaitP99 float64 `json:"goroutine_wait_p99_s"`
	// Processors is how many of them the program may use at a time.
	Processors int `json:"processors"`
}

// AuditMachine is what the operating system says of the phase; nil on systems
// that are not asked, all but Linux. Peaks are those of whole seconds.
type AuditMachine struct {
	// Process is the processor time of this process a second: 1.5 is one and
	// a half processors.
	Process     float64 `json:"process_cpus"`
	ProcessPeak float64 `json:"process_cpus_peak"`
	// Host is the share of all processors that was in use, by anything; Stolen
	// what a hypervisor took.
	Host       float64 `json:"host_share"`
	HostPeak   float64 `json:"host_share_peak"`
	Stolen     float64 `json:"stolen_share"`
	StolenPeak float64 `json:"stolen_share_peak"`
	// Throttled is the time in seconds in which a limit of the control group
	// kept the process from running.
	Throttled float64 `json:"throttled_s"`
	// Files is the largest number of open files, FileLimit what is allowed.
	Files     int `json:"open_files_peak"`
	FileLimit int `json:"open_files_limit"`
	// Retransmits and Segments are TCP segments sent again and sent at all, by
	// every program in the same network namespace.
	Retransmits int64 `json:"tcp_retransmits"`
	Segments    int64 `json:"tcp_segments_out"`
}

// AuditCalibration is what `headway calibrate` found this machine to carry;
// see [AuditLoad] for the units.
type AuditCalibration struct {
	Events   float64 `json:"events_per_s"`
	Streams  int     `json:"streams"`
	Requests float64 `json:"requests_per_s"`
}
