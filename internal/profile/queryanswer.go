package profile

import "fmt"

// Question is what a load needs: lengths in tokens, targets in milliseconds.
type Question struct {
	ISL  float64 `json:"isl"`
	OSL  float64 `json:"osl"`
	TTFT float64 `json:"ttft_ms"`
	ITL  float64 `json:"itl_ms"`
}

// Answer is what a profile says to a question, once as Dynamo's planner reads it
// and once as well as the measurements allow.
type Answer struct {
	Question Question       `json:"question"`
	Prefill  *PrefillAnswer `json:"prefill,omitempty"`
	Decode   *DecodeAnswer  `json:"decode,omitempty"`
}

// PrefillAnswer is that of the prefill half. TTFT is in milliseconds, Throughput
// in tokens per second and GPU, PerGPU in requests per second that saturate one
// GPU.
type PrefillAnswer struct {
	Planner struct {
		// Known is false where the planner fails: it takes 4 prompt lengths.
		Known      bool    `json:"known"`
		TTFT       float64 `json:"ttft_ms"`
		Throughput float64 `json:"tokens_per_second_per_gpu"`
		PerGPU     float64 `json:"requests_per_second_per_gpu"`
		// Met says that TTFT is within the target, null for a length that was
		// not measured; Slack is how many milliseconds a request may then wait.
		Met   *bool   `json:"met"`
		Slack float64 `json:"slack_ms"`
	} `json:"planner"`
	TTFT       Reading `json:"ttft_ms"`
	Throughput Reading `json:"tokens_per_second_per_gpu"`
	PerGPU     float64 `json:"requests_per_second_per_gpu"`
	// Met is null where there is no answer; Undecided says why.
	Met       *bool  `json:"met"`
	Undecided string `json:"undecided,omitempty"`
	// Sure says that the target is further from the TTFT than the error of
	// reading it.
	Sure bool `json:"sure"`
}

// DecodeAnswer is that of the decode half, at the context of the prompt and half
// of the reply.
type DecodeAnswer struct {
	// Context is in tokens: ISL + OSL/2, rounded down as the planner does.
	Context float64 `json:"context"`
	Planner struct {
		ITL        float64 `json:"itl_ms"`
		Throughput float64 `json:"tokens_per_second_per_gpu"`
		KVUsage    float64 `json:"kv_usage"`
		PerGPU     float64 `json:"requests_per_second_per_gpu"`
		// Met is null where there is no answer; Undecided says why.
		Met       *bool  `json:"met"`
		Undecided string `json:"undecided,omitempty"`
		// Other is the throughput where points on one circle are divided the
		// other way; see PlannerOther.
		Other float64 `json:"other_tokens_per_second_per_gpu"`
	} `json:"planner"`
	ITL        Reading `json:"itl_ms"`
	Throughput Reading `json:"tokens_per_second_per_gpu"`
	KVUsage    float64 `json:"kv_usage"`
	// Requests is how many run at a time on the engine then.
	Requests float64 `json:"requests"`
	PerGPU   float64 `json:"requests_per_second_per_gpu"`
	// Met is null where there is no answer; Undecided says why.
	Met       *bool  `json:"met"`
	Undecided string `json:"undecided,omitempty"`
	// Sure says that the target is further from the ITL than the error of
	// reading it, or that the cache is full before it is reached.
	Sure bool `json:"sure"`
}

// Ask answers a question from the halves that there are; either may be nil.
func Ask(q Question, prefill *PrefillTable, decode *DecodeTable) Answer {
	a := Answer{Question: q}
	if prefill != nil {
		a.Prefill = prefill.ask(q)
	}
	if decode != nil {
		a.Decode = decode.ask(q)
	}
	return a
}

// Unanswered says of which halves there is no answer, and why.
func (a Answer) Unanswered() []string {
	var out []string
	if p := a.Prefill; p != nil && p.Undecided != "" {
		out = append(out, "prefill: "+p.Undecided)
	}
	if d := a.Decode; d != nil && d.Undecided != "" {
		out = append(out, "decode: "+d.Undecided)
	}
	return out
}

func (t *PrefillTable) ask(q Question) *PrefillAnswer {
	var a PrefillAnswer
	p := &a.Planner
	p.TTFT, p.Throughput, p.Known = t.Planner(q.ISL)
	p.PerGPU, p.Slack = p.Throughput/q.ISL, max(q.TTFT-p.TTFT, 0)
	a.TTFT, a.Throughput = t.Better(q.ISL)
	a.PerGPU = a.Throughput.Value / q.ISL
	a.Sure = a.TTFT.sure(q.TTFT)
	lo, hi := t.ours.Range()
	a.Undecided = notMeasured("a prompt", q.ISL, lo, hi)
	if a.Undecided != "" {
		p.Slack = 0
		return &a
	}
	met, within := a.TTFT.Value <= q.TTFT, p.TTFT <= q.TTFT
	if a.Met = &met; p.Known {
		p.Met = &within
	}
	return &a
}

func (t *DecodeTable) ask(q Question) *DecodeAnswer {
	a := DecodeAnswer{Context: q.ISL + float64(int(q.OSL)/2)}
	p := &a.Planner
	p.Throughput, p.ITL, p.KVUsage = t.PlannerBest(q.ITL, a.Context)
	p.PerGPU, p.Other = p.Throughput/q.OSL, t.PlannerOther(q.ITL, a.Context)
	var met bool
	a.Throughput, a.ITL, a.KVUsage, met = t.Best(q.ITL, a.Context)
	a.PerGPU, a.Requests = a.Throughput.Value/q.OSL, a.KVUsage*t.KVTokens/a.Context
	a.Sure = a.ITL.sure(q.ITL)
	low, high := t.contexts()
	none := notMeasured("a context", a.Context, low, high)
	if q.ISL+q.OSL > t.KVTokens {
		none = fmt.Sprintf("the KV cache of %.0f tokens does not hold one request of %.0f", t.KVTokens, q.ISL+q.OSL)
	}
	within := p.ITL <= q.ITL
	p.Undecided, a.Undecided = none, none
	// An engine without load is within any target, and no answer.
	if none == "" && within {
		p.Undecided = t.holdsNone(p.KVUsage, a.Context)
	}
	switch {
	case none != "":
	case !a.ITL.Measured:
		a.Undecided = fmt.Sprintf("no load was measured at a context of %.0f tokens", a.Context)
	case met:
		a.Undecided = t.holdsNone(a.KVUsage, a.Context)
	}
	if p.Undecided == "" {
		p.Met = &within
	}
	if a.Undecided == "" {
		a.Met = &met
	}
	return &a
}

// holdsNone says that a share of the cache holds no request; "" where it does.
func (t *DecodeTable) holdsNone(usage, context float64) string {
	if usage*t.KVTokens >= context*(1-1e-9) {
		return ""
	}
	return fmt.Sprintf("%.2f %% of the KV cache hold 0 requests with a context of %.0f tokens", 100*usage, context)
}

// notMeasured says that a length was not measured; "" where it was.
func notMeasured(what string, tokens, low, high float64) string {
	if tokens >= low && tokens <= high {
		return ""
	}
	return fmt.Sprintf("%s of %.0f tokens is outside what was measured (%.0f to %.0f)", what, tokens, low, high)
}
