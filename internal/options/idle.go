package options

import "headway/internal/fault"

// idle refuses options that were given and can have no effect beside the
// others: the measurement would not be what was asked for.
func (p *Plan) idle(bad *fault.List) {
	file, warm := p.InputFile != "", p.WarmCount > 0 || p.WarmSessions > 0 || p.WarmDuration != 0
	bad.Idle(p.Given, !file,
		"fixed-schedule-start-offset fixed-schedule-end-offset fixed-schedule-auto-offset custom-dataset-type lenient "+
			"all-turns synthesis-speedup-ratio synthesis-output-len-multiplier synthesis-max-isl min-isl "+
			"synthesis-max-osl min-osl "+
			"isl-block-size partial-hash-ids log-type spread-timestamps ignore-trace-delays "+
			"inter-turn-delay-cap-seconds", fault.Field("input-file"))
	// A warm-up before a file is synthetic.
	bad.Idle(p.Given, file && !warm,
		"num-prefix-prompts prefix-prompt-length conversation-turn-mean conversation-turn-stddev "+
			"conversation-turn-delay-mean conversation-turn-delay-stddev conversation-turn-delay-ratio",
		fault.New("synthetic requests, and %s has its own", fault.Field("input-file")))
	bad.Idle(p.Given, !file && p.TurnMean.Value <= 1 && p.TurnSD == 0,
		"conversation-turn-delay-mean conversation-turn-delay-stddev "+
			"conversation-turn-delay-ratio", fault.New("%s above 1", fault.Field("conversation-turn-mean")))
	bad.Idle(p.Given, p.patternIdle(warm) && !p.Concurrency.Set, "arrival-pattern", fault.Field("request-rate"))
	bad.Idle(p.Given, !p.Prefill.Set && !(warm && p.WarmPrefill.Set), "prefill-concurrency-ramp-duration",
		fault.Field("prefill-concurrency"))
	bad.Idle(p.Given, p.Concurrency.Value <= 1 && !(warm && p.WarmLoad.Value > 1), "concurrency-ramp-duration",
		fault.New("%s above 1", fault.Field("concurrency")))
	bad.Idle(p.Given, p.Cancel == 0, "request-cancellation-delay", fault.Field("request-cancellation-rate"))
	bad.Idle(p.Given, !warm,
		"warmup-concurrency warmup-prefill-concurrency warmup-request-rate warmup-arrival-pattern "+
			"warmup-concurrency-ramp-duration warmup-prefill-concurrency-ramp-duration "+
			"warmup-request-rate-ramp-duration warmup-handover",
		fault.New("%s, %s or %s", fault.Field("warmup-request-count"), fault.Field("warmup-duration"),
			fault.Field("num-warmup-sessions")))
	bad.Idle(p.Given, p.WarmDuration == 0, "warmup-grace-period", fault.Field("warmup-duration"))
	if p.OSLSD > 0 && p.OSL == 0 && p.SeqDist == "" {
		bad.Add("%s %g: has no effect without %s", fault.Field("osl-stddev"), p.OSLSD, fault.Field("osl"))
	}
}

// patternIdle says that there is no schedule whose gaps a pattern could shape.
func (p *Plan) patternIdle(warm bool) bool {
	return !p.Rate.Set && !(warm && p.WarmRate.Set) && p.Pattern != "concurrency_burst"
}

// IdleNotes are options whose effect does not come to pass, which scripts give
// all the same.
func (p *Plan) IdleNotes(runs int) []error {
	var f fault.List
	f.Idle(p.Given, p.InputFile == "" && !p.Entries.Set, "dataset-sampling-strategy",
		fault.New("%s, since every prompt is sent once", fault.Field("num-dataset-entries")))
	// With a concurrency it is said what the load is: a closed loop.
	f.Idle(p.Given, p.patternIdle(p.WarmCount > 0 || p.WarmSessions > 0 || p.WarmDuration != 0) && p.Concurrency.Set,
		"arrival-pattern", fault.New("%s, since a slot is used again when its reply has ended",
			fault.Field("request-rate")))
	f.Idle(p.Given, p.InputFile != "" && p.WarmCount == 0 && p.WarmSessions == 0 && p.WarmDuration == 0,
		"isl isl-stddev num-dataset-entries",
		fault.New("synthetic requests, and %s has its own", fault.Field("input-file")))
	f.Idle(p.Given, runs <= 1, "profile-run-cooldown-seconds confidence-level vary-seed-per-trial",
		fault.New("%s above 1", fault.Field("num-profile-runs")))
	return f
}
