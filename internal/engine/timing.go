package engine

import (
	"fmt"
	"math"
	"time"
)

// Timing says how long work takes: [Polynomial] or [Fixed].
type Timing interface {
	validate() []error
	pace(Config) pace
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
// where share (0 to 1) is the part of the KV cache in use: −25.74·p² + 54.01·p
// + 5.74 milliseconds, at least 1. The number of sequences does not enter.
func (Polynomial) Decode(share float64) time.Duration {
	return max(milliseconds(-25.74*share*share+54.01*share+5.74), time.Millisecond)
}

func (Polynomial) validate() []error { return nil }

func (p Polynomial) pace(c Config) pace { return &lockstep{model: p, speedup: c.SpeedupRatio} }

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
