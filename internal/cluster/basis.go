package cluster

import (
	"fmt"

	"headway/internal/engine"
)

// Basis says what the times of simulated steps rest on, and how far figures may be off.
type Basis struct {
	// Code is that of the warning which says it, Text the sentence; both empty where
	// the times are made up.
	Code, Text string
	// Seen is what the times were measured at; nil where nothing of it is known.
	Seen *Range
}

// Uncalibrated is the code of times that were fitted to no server: what they were found
// to be off is that of other servers.
const Uncalibrated = "uncalibrated"

// What simulations without calibration were found to be off: mean absolute errors of
// mean TTFT, mean ITL, latency and throughput (docs/twin-study.md), and of published
// figures.
const (
	mockerError = "step times are those of Dynamo's mocker and of no engine: with Llama-3.1-8B on an H200 they were " +
		"off by 16 % in TTFT, 57 % in ITL, 44 % in latency and 5 % in throughput on four loads of vLLM 0.25, and by " +
		"24, 16, 11 and 2 % on three of SGLang 0.5.15"
	rooflineError = "step times are a roofline's and were fitted to no server: with Llama-3.1-8B on an H200 they " +
		"were off by 29 % in TTFT, 11 % in ITL, 3 % in latency and 1 % in throughput on four loads of vLLM 0.25, and " +
		"by 23, 7, 9 and 7 % on three of SGLang 0.5.15; of published figures of Llama-3-70B, latencies of " +
		"single streams came out 13 to 29 % too low, and saturated throughputs of TensorRT-LLM 16 to 35 % too low"
)

// RestsOn is the Basis, where none is given that of the calibration or of the step times.
func (c Config) RestsOn() Basis {
	if c.Calibration != nil && c.Basis.Code == "" {
		return Basis{Code: "twin_basis", Text: c.Calibration.Basis(c)}
	}
	if _, mocker := c.Engine.Timing.(engine.Polynomial); c.Basis.Code == "" && (mocker || c.Engine.Timing == nil) {
		return Basis{Code: Uncalibrated, Text: mockerError}
	}
	return c.Basis
}

// Range is what step times were measured at: prompts and the longest context in
// tokens, and the most requests at a time.
type Range struct {
	Shortest, Longest, Context int
	Requests                   int
}

// Reached is what a replay came to: the shortest and the longest prompt and the longest
// prompt and reply together, in tokens, and the most requests that a worker had at a
// time.
type Reached struct {
	Shortest, Longest, Context int
	Requests                   int
}

// see counts a request.
func (r *Reached) see(prompt, output int) {
	if r.Shortest == 0 {
		r.Shortest = prompt
	}
	r.Shortest, r.Longest = min(r.Shortest, prompt), max(r.Longest, prompt)
	r.Context = max(r.Context, prompt+output)
}

// beyond is by how much a load may leave what was measured before that is said, as a
// share.
const beyond = 0.1

// Left says in words how a load lies outside of what was measured; empty where it does
// not.
func (r *Range) Left(l Reached) []string {
	if r == nil || l.Longest == 0 {
		return nil
	}
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if float64(l.Shortest) < (1-beyond)*float64(r.Shortest) || above(l.Longest, r.Longest) {
		say("prompts of %d to %d tokens (measured: %d to %d)", l.Shortest, l.Longest, r.Shortest, r.Longest)
	}
	if above(l.Context, r.Context) {
		say("contexts of up to %d tokens (measured: up to %d)", l.Context, r.Context)
	}
	if above(l.Requests, r.Requests) {
		say("up to %d requests at a time on a worker (measured: up to %d)", l.Requests, r.Requests)
	}
	return all
}

func above(v, most int) bool { return float64(v) > (1+beyond)*float64(most) }

// most is how many jobs a worker had at a time.
func (f *fleet) most() int {
	n := 0
	for _, m := range f.members {
		n = max(n, m.most)
	}
	return n
}
