package options

// Load says how hard to push, under aiperf's names.
type Load struct {
	Concurrency   One[int]     `name:"concurrency" placeholder:"N" help:"Sessions open at a time. Default 1 where nothing else sets the load."`
	Prefill       One[int]     `name:"prefill-concurrency" placeholder:"N" help:"Requests that may wait for their first token at a time; streaming only."`
	Rate          One[float64] `name:"request-rate" placeholder:"N" help:"Requests per second, sent on a schedule that does not wait for replies."`
	Pattern       string       `name:"arrival-pattern" aliases:"request-rate-mode" enum:"poisson,constant,gamma,concurrency_burst" default:"poisson" help:"Gaps of the schedule: ${enum}."`
	Smoothness    float64      `name:"arrival-smoothness" aliases:"vllm-burstiness" default:"0" help:"Shape of the gamma gaps: 1 is Poisson, below 1 bursts, above 1 is smoother. Alone it selects gamma."`
	Count         One[int]     `name:"request-count" aliases:"num-requests" placeholder:"N" help:"Requests to send. Default where nothing else ends the run: as many as --concurrency, at least 10."`
	Duration      Seconds      `name:"benchmark-duration" default:"0" placeholder:"TIME" help:"Seconds after which no more requests are sent."`
	Grace         Seconds      `name:"benchmark-grace-period" default:"30" placeholder:"TIME" help:"Time for requests in flight when --benchmark-duration is over (s); inf waits for all."`
	Ramp          Seconds      `name:"concurrency-ramp-duration" default:"0" placeholder:"TIME" help:"Raise the concurrency from 1 over this time (s)."`
	PrefillRamp   Seconds      `name:"prefill-concurrency-ramp-duration" default:"0" placeholder:"TIME" help:"Raise the prefill concurrency from 1 over this time (s)."`
	RateRamp      Seconds      `name:"request-rate-ramp-duration" default:"0" placeholder:"TIME" help:"Raise the rate from 0 over this time (s)."`
	FailThreshold float64      `name:"failed-request-threshold" default:"0" help:"End the run when this share (0-1) of the requests failed; 0 never."`
	Warmup
}

// Warmup describe the phase before the measurement. What is not set is
// as in the measurement.
type Warmup struct {
	WarmCount      int          `name:"warmup-request-count" aliases:"num-warmup-requests" default:"0" help:"Requests before the measurement."`
	WarmDuration   Seconds      `name:"warmup-duration" default:"0" placeholder:"TIME" help:"Duration of the warm-up (s)."`
	WarmSessions   int          `name:"num-warmup-sessions" default:"0" help:"Sessions before the measurement."`
	WarmLoad       One[int]     `name:"warmup-concurrency" placeholder:"N" help:"Concurrency of the warm-up."`
	WarmPrefill    One[int]     `name:"warmup-prefill-concurrency" placeholder:"N" help:"Prefill concurrency of the warm-up."`
	WarmRate       One[float64] `name:"warmup-request-rate" placeholder:"N" help:"Request rate of the warm-up."`
	WarmPattern    string       `name:"warmup-arrival-pattern" enum:",poisson,constant,gamma,concurrency_burst" default:"" help:"Arrival pattern of the warm-up."`
	WarmGrace      Seconds      `name:"warmup-grace-period" default:"inf" placeholder:"TIME" help:"Time for warm-up requests in flight when --warmup-duration is over (s)."`
	WarmRamp       *Seconds     `name:"warmup-concurrency-ramp-duration" placeholder:"TIME" help:"Ramp of the warm-up's concurrency (s)."`
	WarmPreRamp    *Seconds     `name:"warmup-prefill-concurrency-ramp-duration" placeholder:"TIME" help:"Ramp of the warm-up's prefill concurrency (s)."`
	WarmRateRamp   *Seconds     `name:"warmup-request-rate-ramp-duration" placeholder:"TIME" help:"Ramp of the warm-up's rate (s)."`
	Handover       bool         `name:"warmup-handover" help:"Begin the measurement on the load of the warm-up, instead of letting the server run empty between them."`
	WarmOnlyFirst  bool         `name:"profile-run-disable-warmup-after-first" default:"true" negatable:"" help:"Warm up before the first of several runs only."`
	ConsistentSeed bool         `name:"set-consistent-seed" default:"true" negatable:"" help:"Use the same seed for every run of --num-profile-runs."`
	VarySeed       bool         `name:"vary-seed-per-trial" default:"false" negatable:"" help:"Give every run of --num-profile-runs its own seed."`
}
