package profile

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
		// Met says that TTFT is within the target; Slack is how many
		// milliseconds a request may then wait.
		Met   bool    `json:"met"`
		Slack float64 `json:"slack_ms"`
	} `json:"planner"`
	TTFT       Reading `json:"ttft_ms"`
	Throughput Reading `json:"tokens_per_second_per_gpu"`
	PerGPU     float64 `json:"requests_per_second_per_gpu"`
	Met        bool    `json:"met"`
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
		Met        bool    `json:"met"`
	} `json:"planner"`
	ITL        Reading `json:"itl_ms"`
	Throughput Reading `json:"tokens_per_second_per_gpu"`
	KVUsage    float64 `json:"kv_usage"`
	// Requests is how many run at a time on the engine then.
	Requests float64 `json:"requests"`
	PerGPU   float64 `json:"requests_per_second_per_gpu"`
	Met      bool    `json:"met"`
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

func (t *PrefillTable) ask(q Question) *PrefillAnswer {
	var a PrefillAnswer
	p := &a.Planner
	p.TTFT, p.Throughput, p.Known = t.Planner(q.ISL)
	p.PerGPU, p.Met, p.Slack = p.Throughput/q.ISL, p.TTFT <= q.TTFT, max(q.TTFT-p.TTFT, 0)
	a.TTFT, a.Throughput = t.Better(q.ISL)
	a.PerGPU, a.Met = a.Throughput.Value/q.ISL, a.TTFT.Value <= q.TTFT
	a.Sure = abs(a.TTFT.Value-q.TTFT) > a.TTFT.Error
	return &a
}

func (t *DecodeTable) ask(q Question) *DecodeAnswer {
	a := DecodeAnswer{Context: q.ISL + float64(int(q.OSL)/2)}
	p := &a.Planner
	p.Throughput, p.ITL, p.KVUsage = t.PlannerBest(q.ITL, a.Context)
	p.PerGPU, p.Met = p.Throughput/q.OSL, p.ITL <= q.ITL
	a.Throughput, a.ITL, a.KVUsage, a.Met = t.Best(q.ITL, a.Context)
	a.PerGPU, a.Requests = a.Throughput.Value/q.OSL, a.KVUsage*t.KVTokens/a.Context
	a.Sure = abs(a.ITL.Value-q.ITL) > a.ITL.Error
	return &a
}
