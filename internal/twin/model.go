// Package twin is a calibrated simulator of one inference server: a model of a
// few numbers, each with a meaning, and how they are found from loads that were
// measured.
//
// The model has three parts. A step's time on the GPU follows from the prompt
// tokens and sequences that it computes ([Model.Pass]); the CPU launches steps
// ahead of the GPU ([engine.Pipelined]); and the API server in front of the
// engine takes requests and writes tokens with one thread
// ([cluster.APIServer]). docs/twin.md says what is not modelled.
package twin

import (
	"fmt"
	"math"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
)

// Model is what a server's times follow from. Times are in milliseconds but for
// those whose names say another unit.
type Model struct {
	// Weights is a pass over the model's weights, the least time of a step.
	Weights float64 `json:"weights_ms"`
	// Compute is the time of one token of a step, prompt or output, µs.
	Compute float64 `json:"compute_us_per_token"`
	// KV is reading the keys and values of one token of context of a sequence
	// that decodes, ns.
	KV float64 `json:"kv_ns_per_token"`
	// KVAlone is the least for one token of the context of a sequence, ns, however
	// few decode: a kernel that gives a sequence to a part of the GPU leaves the
	// rest of it idle.
	KVAlone float64 `json:"kv_alone_ns_per_token"`
	// Attention is one pair of a prompt token and a token that it attends to, ns.
	Attention float64 `json:"attention_ns_per_pair"`
	// Sequence is the time of one sequence that decodes, µs.
	Sequence float64 `json:"sequence_us"`

	// LaunchDecode, LaunchSmall and LaunchPrompt are the CPU's time to launch a
	// step that only decodes, one of at most SmallTokens tokens, and a larger
	// one, which takes at least LaunchShare of the pass.
	LaunchDecode float64 `json:"launch_decode_ms"`
	LaunchSmall  float64 `json:"launch_small_ms"`
	LaunchPrompt float64 `json:"launch_prompt_ms"`
	LaunchShare  float64 `json:"launch_share"`
	// LaunchTail is what a pass takes at least after its launch.
	LaunchTail float64 `json:"launch_tail_ms"`
	// Collect is from taking a step's tokens to planning the step after the next.
	Collect float64 `json:"collect_ms"`
	// Jitter is the standard deviation of the logarithm of a launch.
	Jitter float64 `json:"jitter"`

	// Accept is the API server's work for a request that has come, Turn that of
	// one turn of its event loop.
	Accept float64 `json:"accept_ms"`
	Turn   float64 `json:"turn_ms"`
	// Tokenize is one token of a prompt in the tokenizer, µs.
	Tokenize float64 `json:"tokenize_us_per_token"`
	// Prepare is a wait between the tokenizer and the head of the reply, Submit
	// one from there to the engine.
	Prepare float64 `json:"prepare_ms"`
	Submit  float64 `json:"submit_ms"`
	// Output is a wait from the end of a step to the API server.
	Output float64 `json:"output_ms"`
	// Detokenize and Write are the work for one token of a step, before and while
	// it is written, µs; First is more for the first token of a reply, and Close
	// for its end.
	Detokenize float64 `json:"detokenize_us"`
	Write      float64 `json:"write_us"`
	First      float64 `json:"first_ms"`
	Close      float64 `json:"close_ms"`
}

// smallTokens is up to how many tokens a step with prompt tokens is launched as
// a captured graph; vLLM's and SGLang's largest captured size by default.
const smallTokens = 512

// servers are what distinguishes the API servers of engines. vLLM gives prompts
// to a thread that tokenizes, SGLang tokenizes between everything else and sends
// the head of a reply with its first token; it writes 16 tokens of a step before it
// turns to what else is ready (--batch-notify-size).
var servers = map[engine.Type]cluster.APIServer{
	engine.VLLM:   {TurnsIn: 3, TurnsOn: 2},
	engine.TRTLLM: {TurnsIn: 3, TurnsOn: 2},
	engine.SGLang: {TurnsIn: 0, TurnsOn: 0, TurnsOut: 3, Inline: true, LateHead: true, Batch: 16},
}

// Pass is how long a step takes on the GPU: the weights are read once, whoever
// shares the step, or its tokens are computed, whichever takes longer; the
// attention and what each sequence costs come on top.
func (m *Model) Pass(promptTokens, promptPairs, sequences, context int) time.Duration {
	reads := max(m.KV*float64(context), m.KVAlone*float64(context)/float64(max(sequences, 1)))
	ms := max(m.Weights, m.Compute/1e3*float64(promptTokens+sequences)) + reads/1e6 +
		m.Attention/1e6*float64(promptPairs) + m.Sequence/1e3*float64(sequences)
	return millis(ms)
}

// Gap is the time per token, ms, of so many sequences of a context that decode
// together with their prompts in the cache: the longest of a pass, a launch and
// the writing of a step's tokens, since the three work beside each other.
func (m *Model) Gap(sequences, context int) float64 {
	pass := float64(m.Pass(0, 0, sequences, sequences*context)) / 1e6
	return max(pass, m.LaunchDecode+m.Collect, float64(sequences)*(m.Detokenize+m.Write)/1e3)
}

// even is by which factor the thread of the API server and the GPU may differ and
// still be taken for equally busy: calibrations tell their ratio no better.
const even = 1.5

// Waves says of a closed loop of so many requests of a context (tokens) whether its
// waves may stay together or not, for all that is known. Requests that come while the
// thread is behind with the tokens of others wait until those are written, and start
// together; where the thread has time they start one by one, and the same waiting is
// seen between tokens instead of before the first. Which of the two it is turns where
// the thread and the GPU take equally long.
func (m *Model) Waves(sequences, context int) []string {
	thread := float64(sequences) * (m.Detokenize + m.Write) / 1e3
	pass := float64(m.Pass(0, 0, sequences, sequences*context)) / 1e6
	if thread > even*pass || thread < pass/even {
		return nil
	}
	return []string{fmt.Sprintf("a closed loop of %d keeps the API server's thread (%.1f ms a step) about as busy as "+
		"the GPU (%.1f ms): whether waves of requests stay together is not known, and with it how waiting divides "+
		"between time_to_first_token and inter_token_latency", sequences, thread, pass)}
}

// Timing is the model as the timing of a simulated engine.
func (m *Model) Timing(of engine.Type) engine.Timing {
	return engine.Pipelined{Pass: m.Pass, Launch: engine.Launch{
		Decode: millis(m.LaunchDecode), Small: millis(m.LaunchSmall), SmallTokens: smallTokens,
		Prompt: millis(m.LaunchPrompt), Share: m.LaunchShare, Tail: millis(m.LaunchTail),
		Collect: millis(m.Collect), Jitter: m.Jitter,
		Before: of == engine.SGLang, // it captures graphs of prompts, too
	}}
}

// API is the model of the server in front of an engine.
func (m *Model) API(of engine.Type) *cluster.APIServer {
	a := servers[of]
	a.Accept, a.Turn, a.Tokenize = millis(m.Accept), millis(m.Turn), millis(m.Tokenize/1e3)
	a.Prepare, a.Submit, a.Collect = millis(m.Prepare), millis(m.Submit), millis(m.Output)
	a.Detokenize, a.Write = millis(m.Detokenize/1e3), millis(m.Write/1e3)
	a.First, a.Close = millis(m.First), millis(m.Close)
	return &a
}

// millis rounds to whole nanoseconds.
func millis(ms float64) time.Duration { return time.Duration(math.Round(ms * 1e6)) }
