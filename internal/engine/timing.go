package engine

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Timing says how long work takes: [Polynomial], [Interpolated], [StepFunc] or
// [Fixed].
type Timing interface {
	validate() []error
	pace(Config) pace
}

// stepModel says how long a step takes that all sequences share.
type stepModel interface {
	stepTime(load) time.Duration
}

// load is what a step computes and what the KV cache holds meanwhile.
type load struct {
	prefillTokens  int // of prompts
	prefillContext int // sum over those tokens of the tokens up to and with each
	decodeSeqs     int
	decodeContext  int // sum of their contexts

	drafts       int // tokens that are verified beside one for each of decodeSeqs
	draftContext int // sum over those of the tokens up to and with each

	usedBlocks int
	cache      // what of the KV cache decoding reads
}

// cache is how much of a KV cache is active, and how large it is, in tokens.
type cache struct{ active, capacity int }

// cacheOf are the active tokens of a step: those of the sequences that decode,
// each counted for itself even where blocks are shared, as Dynamo's mocker counts
// since it is a simulator of its own; in its release of 2025, the blocks in use.
func (c *Config) cacheOf(l load) cache {
	active := l.decodeContext
	if schedulers[c.Type].blocks {
		active = l.usedBlocks * c.BlockSize
	}
	return cache{active: active, capacity: c.NumGPUBlocks * c.BlockSize}
}

// addPrompt counts n tokens of a prompt that follow those computed.
func (l *load) addPrompt(computed, n int) {
	l.prefillTokens += n
	l.prefillContext += n*computed + n*(n+1)/2
}

// stepTime is a step's time under the speed-ups. What decoding adds to the
// prompts' time is decoding's.
func (c *Config) stepTime(m stepModel, l load) time.Duration {
	l.cache = c.cacheOf(l)
	var d time.Duration
	if c.Speculation.Tokens == 0 {
		d = max(m.stepTime(l), 0)
	} else {
		d = c.passTime(m, l)
	}
	if c.DecodeSpeedupRatio != 1 && l.decodeSeqs > 0 {
		var prompts time.Duration
		if l.prefillTokens > 0 {
			without := l
			without.decodeSeqs, without.decodeContext = 0, 0
			prompts = c.passTime(m, without)
		}
		d = prompts + sped(max(d-prompts, 0), c.DecodeSpeedupRatio)
	}
	return sped(d, c.SpeedupRatio)
}

// StepFunc is a step-time model of somebody else's, such as a roofline: the
// time of a step that computes prefillTokens of prompts, with
// prefillContextSum the sum over those tokens of how many tokens each attends
// to, itself included, and one token for each of decodeSeqs sequences whose
// contexts are decodeContextTokens long together. Drafted tokens that are verified
// count as those of prompts: they are computed, too, beside weights and contexts that
// are read anyway.
type StepFunc func(prefillTokens, prefillContextSum, decodeSeqs, decodeContextTokens int) time.Duration

func (f StepFunc) validate() []error {
	if f == nil {
		return []error{errors.New("step time: the function is nil")}
	}
	return nil
}

func (f StepFunc) pace(c Config) pace { return newLockstep(f, c) }

func (f StepFunc) stepTime(l load) time.Duration {
	return f(l.prefillTokens+l.drafts, l.prefillContext+l.draftContext, l.decodeSeqs, l.decodeContext)
}

// Polynomial is the step-time model of Dynamo's mocker (ai-dynamo/dynamo,
// lib/mocker, the polynomial used without planner profile data): all running
// sequences advance together, and a step lasts as long as its prefill and its
// decode.
type Polynomial struct{}

// Prefill is the time of a pass over so many prompt tokens, all sequences
// together: 4.209989e-07·t² + 1.518344e-02·t + 16.50142 milliseconds, and
// nothing for no tokens.
func (Polynomial) Prefill(tokens int) time.Duration {
	if tokens <= 0 {
		return 0
	}
	t := float64(tokens)
	return milliseconds(4.209989e-07*t*t + 1.518344e-02*t + 16.50142)
}

// Decode is the time of a pass that adds one token to every running sequence,
// where share (0 to 1) is the part of the KV cache that is active: −25.74·p² + 54.01·p
// + 5.74 milliseconds, at least 1. The number of sequences does not enter.
func (Polynomial) Decode(share float64) time.Duration {
	return max(milliseconds(-25.74*share*share+54.01*share+5.74), time.Millisecond)
}

func (Polynomial) validate() []error { return nil }

func (p Polynomial) pace(c Config) pace { return newLockstep(p, c) }

func (p Polynomial) stepTime(l load) time.Duration {
	d := p.Prefill(l.prefillTokens)
	if l.drafts > 0 {
		d = withDrafts(p.Prefill, l)
	}
	if l.decodeSeqs > 0 {
		d += p.Decode(min(1, float64(l.active)/float64(l.capacity)))
	}
	return d
}

// Fixed gives every request the same times, whatever else runs, as aiperf's
// mock server does: the first token TTFT after admission, the others ITL apart.
// Only admission couples requests.
type Fixed struct {
	TTFT, ITL time.Duration
	// TTFTJitterCV and ITLJitterCV are the coefficients of variation of a
	// lognormal factor with mean 1 on each time; 0 means none.
	TTFTJitterCV, ITLJitterCV float64
}

func (f Fixed) validate() []error {
	var faults []error
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"ttft", f.TTFT}, {"itl", f.ITL}} {
		if d.d < 0 {
			faults = append(faults, fmt.Errorf("%s %v: must be 0 or more", d.name, d.d))
		}
	}
	for _, c := range []struct {
		name string
		cv   float64
	}{{"ttft-jitter-cv", f.TTFTJitterCV}, {"itl-jitter-cv", f.ITLJitterCV}} {
		if !(c.cv >= 0 && c.cv <= 10) {
			faults = append(faults, fmt.Errorf("%s %v: must be from 0 to 10", c.name, c.cv))
		}
	}
	return faults
}

func (f Fixed) pace(c Config) pace { return newSolo(f, c) }

// milliseconds rounds to whole nanoseconds.
func milliseconds(ms float64) time.Duration { return time.Duration(math.Round(ms * 1e6)) }

// sped divides a time by the speed-up.
func sped(d time.Duration, ratio float64) time.Duration {
	if ratio == 1 {
		return d
	}
	return time.Duration(math.Round(float64(d) / ratio))
}
