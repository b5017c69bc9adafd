package main

import "strings"

// dependents are options that do nothing without another, which is missing.
type dependents struct {
	missing bool
	names   string
	needs   string
}

// idle refuses options that were given and can have no effect beside the
// others: the measurement would not be what was asked for.
func (p *planFlags) idle(bad *faultList) {
	file, warm := p.InputFile != "", p.WarmCount > 0 || p.WarmSessions > 0 || p.WarmDuration != 0
	bad.dependents(p.given, []dependents{
		{!file, "fixed-schedule-start-offset fixed-schedule-end-offset fixed-schedule-auto-offset custom-dataset-type lenient " +
			"all-turns synthesis-speedup-ratio synthesis-output-len-multiplier synthesis-max-isl min-isl synthesis-max-osl min-osl " +
			"isl-block-size partial-hash-ids log-type spread-timestamps", "--input-file"},
		// A warm-up before a file is synthetic.
		{file && !warm, "num-prefix-prompts prefix-prompt-length conversation-turn-mean conversation-turn-stddev " +
			"conversation-turn-delay-mean conversation-turn-delay-stddev conversation-turn-delay-ratio", "synthetic requests, and --input-file has its own"},
		{!file && p.TurnMean.value <= 1 && p.TurnSD == 0, "conversation-turn-delay-mean conversation-turn-delay-stddev " +
			"conversation-turn-delay-ratio", "--conversation-turn-mean above 1"},
		{!p.Rate.set && !(warm && p.WarmRate.set) && p.Pattern != "concurrency_burst", "arrival-pattern", "--request-rate"},
		{!p.Prefill.set && !(warm && p.WarmPrefill.set), "prefill-concurrency-ramp-duration", "--prefill-concurrency"},
		{p.Concurrency.value <= 1 && !(warm && p.WarmLoad.value > 1), "concurrency-ramp-duration", "--concurrency above 1"},
		{p.Cancel == 0, "request-cancellation-delay", "--request-cancellation-rate"},
		{!warm, "warmup-concurrency warmup-prefill-concurrency warmup-request-rate warmup-arrival-pattern " +
			"warmup-concurrency-ramp-duration warmup-request-rate-ramp-duration warmup-handover", "--warmup-request-count, --warmup-duration or --num-warmup-sessions"},
		{p.WarmDuration == 0, "warmup-grace-period", "--warmup-duration"},
	})
	if p.OSLSD > 0 && p.OSL == 0 && p.SeqDist == "" {
		bad.add("--osl-stddev %g: has no effect without --osl", p.OSLSD)
	}
}

// idleNotes are options whose effect does not come to pass, which scripts give
// all the same.
func (p *planFlags) idleNotes(runs int) []string {
	var f faultList
	f.dependents(p.given, []dependents{
		{p.InputFile == "" && !p.Entries.set, "dataset-sampling-strategy", "--num-dataset-entries, since every prompt is sent once"},
		{p.InputFile != "" && p.WarmCount == 0 && p.WarmSessions == 0 && p.WarmDuration == 0, "isl isl-stddev num-dataset-entries",
			"synthetic requests, and --input-file has its own"},
		{runs <= 1, "profile-run-cooldown-seconds confidence-level vary-seed-per-trial", "--num-profile-runs above 1"},
	})
	notes := make([]string, len(f))
	for i, err := range f {
		notes[i] = "note: " + err.Error()
	}
	return notes
}

// dependents adds a fault for each given option whose other is missing.
func (f *faultList) dependents(given map[string]bool, list []dependents) {
	for _, d := range list {
		for _, name := range strings.Fields(d.names) {
			if d.missing && given[name] {
				f.add("--%s: has no effect without %s", name, d.needs)
			}
		}
	}
}
