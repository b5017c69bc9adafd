package options

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"headway/internal/fault"
	"headway/workload"
)

// Plan are what a plan is made of; run has them all as options, bench
// sets them level by level.
type Plan struct {
	Prompts
	Load
	ISL, ISLSD, OSL, OSLSD float64
	Streaming              bool

	// Settle makes a warm-up that ends when the start of the load has passed;
	// KeepUp keeps the load up until the last measured reply has ended. Both are
	// of one that hands over.
	Settle, KeepUp bool

	Given   map[string]bool   // options that were set to other than their default
	dataset *workload.Dataset // the input file, once it was read

	systemText string // of --system-prompt or its file, once that was read
}

// Faults lists everything that is wrong with the plan at once.
func (p *Plan) Faults() []error {
	var bad fault.List
	bad.Positive("isl", p.ISL)
	bad.NotNegative("isl-stddev", p.ISLSD)
	bad.NotNegative("osl", p.OSL)
	bad.NotNegative("osl-stddev", p.OSLSD)
	for _, o := range []struct {
		name string
		n    One[int]
	}{{"concurrency", p.Concurrency}, {"prefill-concurrency", p.Prefill}, {"request-count", p.Count},
		{"num-dataset-entries", p.Entries}, {"conversation-num", p.Conversations},
		{"conversation-turn-mean", p.TurnMean},
		{"warmup-concurrency", p.WarmLoad}, {"warmup-prefill-concurrency", p.WarmPrefill}} {
		if o.n.Set {
			bad.Positive(fault.Field(o.name), float64(o.n.Value))
		}
	}
	if p.Rate.Set {
		bad.Positive("request-rate", p.Rate.Value)
	}
	Connections(&bad, "concurrency", p.Concurrency.Value)
	Connections(&bad, "warmup-concurrency", p.WarmLoad.Value)
	if p.WarmRate.Set {
		bad.Positive("warmup-request-rate", p.WarmRate.Value)
	}
	for name, n := range map[string]float64{"num-prefix-prompts": float64(p.NumPrefix),
		"prefix-prompt-length":        float64(p.PrefixLength),
		"shared-system-prompt-length": float64(p.SystemLength), "warmup-request-count": float64(p.WarmCount),
		"num-warmup-sessions": float64(p.WarmSessions),
		"arrival-smoothness":  p.Smoothness, "conversation-turn-stddev": p.TurnSD,
		"conversation-turn-delay-mean":   p.TurnDelay,
		"conversation-turn-delay-stddev": p.TurnDelaySD, "conversation-turn-delay-ratio": p.DelayRatio} {
		bad.NotNegative(fault.Field(name), n)
	}
	bad.Between("request-cancellation-rate", p.Cancel, 0, 100)
	bad.Between("failed-request-threshold", p.FailThreshold, 0, 1)
	if p.InputFile != "" {
		bad.Positive("synthesis-speedup-ratio", p.Speedup)
		bad.Positive("synthesis-output-len-multiplier", p.OutputScale)
		bad.Positive("isl-block-size", float64(p.BlockTokens))
	}
	if p.BatchSize != 1 {
		bad.Add("%s %d: only 1 is built", fault.Field("prompt-batch-size"), p.BatchSize)
	}
	p.contradictions(&bad)
	p.idle(&bad)
	return bad
}

// Rehearse makes the plans once and sends nothing, so that what only they find
// out is a fault of the options too: a bound of a length or of a rate.
func (p *Plan) Rehearse() error {
	if _, err := p.Make(workload.Seed(0)); err != nil {
		return err
	}
	_, err := p.leadIn(workload.Seed(0))
	return err
}

// contradictions are options that each are right and together are not.
func (p *Plan) contradictions(bad *fault.List) {
	if p.Prefill.Set && !p.Streaming {
		bad.Add("%s %d: needs %s, since only a stream shows the first token", fault.Field("prefill-concurrency"),
			p.Prefill.Value, fault.Field("streaming"))
	}
	if p.Prefill.Set && p.Concurrency.Set && p.Prefill.Value > p.Concurrency.Value {
		bad.Add("%s %d: is above %s %d", fault.Field("prefill-concurrency"), p.Prefill.Value,
			fault.Field("concurrency"), p.Concurrency.Value)
	}
	if p.Count.Set && p.Conversations.Set {
		bad.Add("%s and %s: give one of them", fault.Field("request-count"), fault.Field("conversation-num"))
	}
	p.systemFaults(bad)
	if (p.NumPrefix > 0) != (p.PrefixLength > 0) {
		bad.Add("%s %d with %s %d: give both or none", fault.Field("num-prefix-prompts"), p.NumPrefix,
			fault.Field("prefix-prompt-length"), p.PrefixLength)
	}
	if p.Duration == 0 && p.Grace != Seconds(30*time.Second) {
		bad.Add("%s: needs %s", fault.Field("benchmark-grace-period"), fault.Field("benchmark-duration"))
	}
	if p.Duration < 0 {
		bad.Add("%s inf: give %s for a run that ends by itself", fault.Field("benchmark-duration"),
			fault.Field("request-count"))
	}
	if p.Smoothness > 0 && p.Pattern == "constant" {
		bad.Add("%s %g with %s constant: smoothness is the shape of gamma arrivals", fault.Field("arrival-smoothness"),
			p.Smoothness, fault.Field("arrival-pattern"))
	}
	if (p.Smoothness > 0 || p.RateRamp > 0) && !p.Rate.Set {
		bad.Add("%s and %s need %s", fault.Field("arrival-smoothness"), fault.Field("request-rate-ramp-duration"),
			fault.Field("request-rate"))
	}
	if p.Rate.Set && p.Pattern == "concurrency_burst" {
		bad.Add("%s %g with %s concurrency_burst: a burst has no rate", fault.Field("request-rate"), p.Rate.Value,
			fault.Field("arrival-pattern"))
	}
	if p.Handover && (p.WarmLoad.Set || p.WarmPrefill.Set || p.WarmRate.Set || p.WarmPattern != "" ||
		p.WarmRamp != nil || p.WarmPreRamp != nil || p.WarmRateRamp != nil) {
		bad.Add("%s: the load of the warm-up is that of the measurement, so leave out its own concurrency, rate, "+
			"pattern and ramps", fault.Field("warmup-handover"))
	}
	if p.Handover && p.Given["warmup-grace-period"] {
		bad.Add("%s: has no effect with %s, since nothing waits for the warm-up to end",
			fault.Field("warmup-grace-period"), fault.Field("warmup-handover"))
	}
	if p.Handover && p.IsFixed() {
		bad.Add("%s: a fixed schedule has no load before it that it could go on with", fault.Field("warmup-handover"))
	}
	if p.InputFile == "" && p.FixedSchedule != nil && *p.FixedSchedule {
		bad.Add("%s: needs %s with timestamps", fault.Field("fixed-schedule"), fault.Field("input-file"))
	}
	if p.InputFile != "" && p.SeqDist != "" {
		bad.Add("%s with %s: the file has the lengths", fault.Field("sequence-distribution"), fault.Field("input-file"))
	}
	if p.SeqDist != "" {
		if _, err := workload.ParseSequenceDist(p.SeqDist); err != nil {
			bad.Add("%s: %v", fault.Field("sequence-distribution"), err)
		}
	}
}

// Make is the measurement's plan. Key names its randomness.
func (p *Plan) Make(key workload.Key) (workload.Plan, error) {
	plan := workload.Plan{
		Concurrency: p.Concurrency.Value, PrefillConcurrency: p.Prefill.Value,
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
	s.Requests, s.Sessions = p.Count.Value, p.Conversations.Value
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
	plan.Source = workload.WithSystemText(s.Source(), p.systemText)
	return plan, nil
}

// warmup makes the plan of the warm-up; nil where none is asked for.
func (p *Plan) warmup(key workload.Key) (*workload.Plan, error) {
	if p.WarmCount == 0 && p.WarmSessions == 0 && p.WarmDuration == 0 {
		return nil, nil
	}
	w := *p
	w.InputFile, w.Cancel = "", 0
	w.Count, w.Conversations = One[int]{p.WarmCount, p.WarmCount > 0}, One[int]{p.WarmSessions, p.WarmSessions > 0}
	w.Duration, w.Grace = p.WarmDuration, p.WarmGrace
	w.Concurrency, w.Prefill, w.Rate = Or(p.WarmLoad, p.Concurrency), Or(p.WarmPrefill, p.Prefill), Or(p.WarmRate,
		p.Rate)
	if p.WarmPattern != "" {
		w.Pattern = p.WarmPattern
	}
	if p.WarmRamp != nil {
		w.Ramp = *p.WarmRamp
	}
	if p.WarmPreRamp != nil {
		w.PrefillRamp = *p.WarmPreRamp
	}
	if p.WarmRateRamp != nil {
		w.RateRamp = *p.WarmRateRamp
	}
	plan, err := w.Make(key.Named("warmup"))
	if err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	plan.Source = workload.InPhase(plan.Source, workload.Warmup)
	return &plan, nil
}

// Or is the first of two numbers that was given.
func Or[T int | float64](a, b One[T]) One[T] {
	if a.Set {
		return a
	}
	return b
}

// synthetic describes requests whose text is made.
func (p *Plan) synthetic(key workload.Key) (workload.Synthetic, error) {
	turns := float64(p.TurnMean.Value)
	if !p.TurnMean.Set && p.TurnSD > 0 {
		turns = 1
	}
	s := workload.Synthetic{
		Key: key, ISL: workload.Length{Mean: p.ISL, SD: p.ISLSD}, OSL: workload.Length{Mean: p.OSL, SD: p.OSLSD},
		PrefixPool: p.NumPrefix, PrefixTokens: p.PrefixLength, SystemTokens: p.SystemLength, Entries: p.Entries.Value,
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
func arrivals(rate One[float64], pattern string, shape float64, ramp Seconds) (workload.Arrivals, error) {
	if !rate.Set {
		return workload.Arrivals{}, nil
	}
	if shape > 0 {
		pattern = "gamma"
	}
	kind, err := workload.ParsePattern(pattern)
	if shape == 0 {
		shape = 1
	}
	return workload.Arrivals{Pattern: kind, Rate: rate.Value, Shape: shape, Ramp: time.Duration(ramp)}, err
}

// LengthText says what lengths are asked for.
func (p *Plan) LengthText(out bool) string {
	switch {
	case p.InputFile != "" && !(out && p.OSL > 0):
		return "from " + filepath.Base(p.InputFile)
	case p.SeqDist != "":
		return p.SeqDist
	case out && p.OSL == 0:
		return "open"
	case out:
		return fmt.Sprintf("%g", p.OSL)
	}
	return fmt.Sprintf("%g", math.Max(p.ISL, 1))
}
