package main

import (
	"errors"
	"fmt"
	"time"

	"headway/workload"
)

// planFlags are what a plan is made of; run has them all as options, bench
// sets them level by level.
type planFlags struct {
	promptFlags
	loadFlags
	ISL, ISLSD, OSL, OSLSD float64
	Streaming              bool

	// Settle makes a warm-up that ends when the start of the load has passed;
	// KeepUp keeps the load up until the last measured reply has ended. Both are
	// of one that hands over.
	Settle, KeepUp bool

	given   map[string]bool   // options that were set to other than their default
	dataset *workload.Dataset // the input file, once it was read
}

// faults lists everything that is wrong with the plan at once.
func (p *planFlags) faults() []error {
	var bad faultList
	bad.positive("isl", p.ISL)
	bad.notNegative("isl-stddev", p.ISLSD)
	bad.notNegative("osl", p.OSL)
	bad.notNegative("osl-stddev", p.OSLSD)
	for _, o := range []struct {
		name string
		n    one[int]
	}{{"concurrency", p.Concurrency}, {"prefill-concurrency", p.Prefill}, {"request-count", p.Count},
		{"num-dataset-entries", p.Entries}, {"conversation-num", p.Conversations}, {"conversation-turn-mean", p.TurnMean},
		{"warmup-concurrency", p.WarmLoad}, {"warmup-prefill-concurrency", p.WarmPrefill}} {
		if o.n.set {
			bad.positive(o.name, float64(o.n.value))
		}
	}
	if p.Rate.set {
		bad.positive("request-rate", p.Rate.value)
	}
	bad.connections("concurrency", p.Concurrency.value)
	bad.connections("warmup-concurrency", p.WarmLoad.value)
	if p.WarmRate.set {
		bad.positive("warmup-request-rate", p.WarmRate.value)
	}
	for name, n := range map[string]float64{"num-prefix-prompts": float64(p.NumPrefix), "prefix-prompt-length": float64(p.PrefixLength),
		"shared-system-prompt-length": float64(p.SystemLength), "warmup-request-count": float64(p.WarmCount), "num-warmup-sessions": float64(p.WarmSessions),
		"arrival-smoothness": p.Smoothness, "conversation-turn-stddev": p.TurnSD, "conversation-turn-delay-mean": p.TurnDelay,
		"conversation-turn-delay-stddev": p.TurnDelaySD, "conversation-turn-delay-ratio": p.DelayRatio} {
		bad.notNegative(name, n)
	}
	bad.between("request-cancellation-rate", p.Cancel, 0, 100)
	bad.between("failed-request-threshold", p.FailThreshold, 0, 1)
	if p.InputFile != "" {
		bad.positive("synthesis-speedup-ratio", p.Speedup)
		bad.positive("synthesis-output-len-multiplier", p.OutputScale)
		bad.positive("isl-block-size", float64(p.BlockTokens))
	}
	if p.BatchSize != 1 {
		bad.add("--prompt-batch-size %d: only 1 is built", p.BatchSize)
	}
	p.contradictions(&bad)
	p.idle(&bad)
	return bad
}

// rehearse makes the plans once and sends nothing, so that what only they find
// out is a fault of the options too: a bound of a length or of a rate.
func (p *planFlags) rehearse() error {
	if _, err := p.plan(workload.Seed(0)); err != nil {
		return err
	}
	_, err := p.leadIn(workload.Seed(0))
	return err
}

// contradictions are options that each are right and together are not.
func (p *planFlags) contradictions(bad *faultList) {
	if p.Prefill.set && !p.Streaming {
		bad.add("--prefill-concurrency %d: needs --streaming, since only a stream shows the first token", p.Prefill.value)
	}
	if p.Prefill.set && p.Concurrency.set && p.Prefill.value > p.Concurrency.value {
		bad.add("--prefill-concurrency %d: is above --concurrency %d", p.Prefill.value, p.Concurrency.value)
	}
	if p.Count.set && p.Conversations.set {
		bad.add("--request-count and --conversation-num: give one of them")
	}
	if (p.NumPrefix > 0) != (p.PrefixLength > 0) {
		bad.add("--num-prefix-prompts %d with --prefix-prompt-length %d: give both or none", p.NumPrefix, p.PrefixLength)
	}
	if p.Duration == 0 && p.Grace != seconds(30*time.Second) {
		bad.add("--benchmark-grace-period: needs --benchmark-duration")
	}
	if p.Duration < 0 {
		bad.add("--benchmark-duration inf: give --request-count for a run that ends by itself")
	}
	if p.Smoothness > 0 && p.Pattern == "constant" {
		bad.add("--arrival-smoothness %g with --arrival-pattern constant: smoothness is the shape of gamma arrivals", p.Smoothness)
	}
	if (p.Smoothness > 0 || p.RateRamp > 0) && !p.Rate.set {
		bad.add("--arrival-smoothness and --request-rate-ramp-duration need --request-rate")
	}
	if p.Rate.set && p.Pattern == "concurrency_burst" {
		bad.add("--request-rate %g with --arrival-pattern concurrency_burst: a burst has no rate", p.Rate.value)
	}
	if p.Handover && (p.WarmLoad.set || p.WarmPrefill.set || p.WarmRate.set || p.WarmPattern != "" || p.WarmRamp != nil || p.WarmRateRamp != nil) {
		bad.add("--warmup-handover: the load of the warm-up is that of the measurement, so leave out its own concurrency, rate, pattern and ramps")
	}
	if p.Handover && p.given["warmup-grace-period"] {
		bad.add("--warmup-grace-period: has no effect with --warmup-handover, since nothing waits for the warm-up to end")
	}
	if p.Handover && p.isFixed() {
		bad.add("--warmup-handover: a fixed schedule has no load before it that it could go on with")
	}
	if p.InputFile == "" && p.FixedSchedule != nil && *p.FixedSchedule {
		bad.add("--fixed-schedule: needs --input-file with timestamps")
	}
	if p.InputFile != "" && p.SeqDist != "" {
		bad.add("--sequence-distribution with --input-file: the file has the lengths")
	}
	if p.SeqDist != "" {
		if _, err := workload.ParseSequenceDist(p.SeqDist); err != nil {
			bad.add("--sequence-distribution: %v", err)
		}
	}
}

// plan makes the measurement's plan. Key names its randomness.
func (p *planFlags) plan(key workload.Key) (workload.Plan, error) {
	plan := workload.Plan{
		Concurrency: p.Concurrency.value, PrefillConcurrency: p.Prefill.value,
		ConcurrencyRamp: time.Duration(p.Ramp), PrefillRamp: time.Duration(p.PrefillRamp),
		Duration: time.Duration(p.Duration), Grace: time.Duration(p.Grace),
		FailedThreshold: p.FailThreshold,
	}
	if p.InputFile != "" {
		return p.filePlan(plan, key)
	}
	s, err := p.synthetic(key)
	if err != nil {
		return plan, err
	}
	s.Requests, s.Sessions = p.Count.value, p.Conversations.value
	s.Arrivals, err = arrivals(p.Rate, p.Pattern, p.Smoothness, p.RateRamp)
	if err != nil {
		return plan, err
	}
	if s.Arrivals.Timed() {
		s.Until = plan.Duration
	} else if plan.Concurrency == 0 {
		plan.Concurrency = 1
	}
	if s.Requests == 0 && s.Sessions == 0 && plan.Duration == 0 {
		s.Requests = max(10, plan.Concurrency)
	}
	plan.Endless = s.Requests == 0 && s.Sessions == 0 && s.Until == 0
	if err := s.Validate(); err != nil {
		return plan, err
	}
	plan.Source = s.Source()
	return plan, nil
}

// warmup makes the plan of the warm-up; nil where none is asked for.
func (p *planFlags) warmup(key workload.Key) (*workload.Plan, error) {
	if p.WarmCount == 0 && p.WarmSessions == 0 && p.WarmDuration == 0 {
		return nil, nil
	}
	w := *p
	w.InputFile, w.Cancel = "", 0
	w.Count, w.Conversations = one[int]{p.WarmCount, p.WarmCount > 0}, one[int]{p.WarmSessions, p.WarmSessions > 0}
	w.Duration, w.Grace = p.WarmDuration, p.WarmGrace
	w.Concurrency, w.Prefill, w.Rate = or(p.WarmLoad, p.Concurrency), or(p.WarmPrefill, p.Prefill), or(p.WarmRate, p.Rate)
	if p.WarmPattern != "" {
		w.Pattern = p.WarmPattern
	}
	if p.WarmRamp != nil {
		w.Ramp = *p.WarmRamp
	}
	if p.WarmRateRamp != nil {
		w.RateRamp = *p.WarmRateRamp
	}
	plan, err := w.plan(key.Named("warmup"))
	if err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	plan.Source = workload.InPhase(plan.Source, workload.Warmup)
	return &plan, nil
}

func or[T int | float64](a, b one[T]) one[T] {
	if a.set {
		return a
	}
	return b
}

// synthetic describes requests whose text is made.
func (p *planFlags) synthetic(key workload.Key) (workload.Synthetic, error) {
	turns := float64(p.TurnMean.value)
	if !p.TurnMean.set && p.TurnSD > 0 {
		turns = 1
	}
	s := workload.Synthetic{
		Key: key, ISL: workload.Length{Mean: p.ISL, SD: p.ISLSD}, OSL: workload.Length{Mean: p.OSL, SD: p.OSLSD},
		PrefixPool: p.NumPrefix, PrefixTokens: p.PrefixLength, SystemTokens: p.SystemLength, Entries: p.Entries.value,
		Turns: workload.Length{Mean: turns, SD: p.TurnSD}, TurnDelayRatio: p.DelayRatio,
		TurnDelay: millis(p.TurnDelay), TurnDelaySD: millis(p.TurnDelaySD),
		CancelRate: p.Cancel / 100, CancelAfter: time.Duration(p.CancelDelay),
	}
	var bad []error
	if p.SeqDist != "" {
		d, err := workload.ParseSequenceDist(p.SeqDist)
		s.Sequences, bad = d, append(bad, err)
	}
	name := p.Sampling
	if name == "" {
		name = "shuffle"
	}
	sampling, err := workload.ParseSampling(name)
	s.Sampling = sampling
	return s, errors.Join(append(bad, err)...)
}

func millis(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }

// arrivals reads the options of a rate. Smoothness alone means gamma gaps.
func arrivals(rate one[float64], pattern string, shape float64, ramp seconds) (workload.Arrivals, error) {
	if !rate.set {
		return workload.Arrivals{}, nil
	}
	if shape > 0 {
		pattern = "gamma"
	}
	kind, err := workload.ParsePattern(pattern)
	if shape == 0 {
		shape = 1
	}
	return workload.Arrivals{Pattern: kind, Rate: rate.value, Shape: shape, Ramp: time.Duration(ramp)}, err
}
