package options

import (
	"time"

	"headway/internal/fault"
)

// Transfers is about workers that only compute prompts.
type Transfers struct {
	PrefillWorkers int          `name:"prefill-workers" default:"0" placeholder:"N" help:"So many workers more compute the prompts, and --workers only decode."`
	Bandwidth      float64      `name:"kv-transfer-bandwidth" default:"64" help:"GB/s between prefill and decode workers; 0 takes no time."`
	Latency        Milliseconds `name:"kv-transfer-latency" default:"0" placeholder:"TIME" help:"Time (ms) until the first byte of a transfer."`
	Sharers        int          `name:"kv-transfer-link-workers" default:"0" placeholder:"N" help:"Workers that share a link: transfers out of so many prefill workers, and into so many decode workers, go one after the other. Default: 0, transfers do not slow each other, as in Dynamo's mocker."`
	Transfer       string       `name:"kv-transfer-timing-mode" enum:"full_prompt,destination_missing" default:"destination_missing" help:"What is transferred: ${enum}."`
	BytesPerToken  int          `name:"kv-bytes-per-token" default:"0" placeholder:"BYTES" help:"KV cache of one token. Default: that of the model, with a roofline; else transfers take no time."`
}

// Speculation is about tokens that are drafted.
type Speculation struct {
	Drafted    int     `name:"num-speculative-tokens" default:"0" placeholder:"N" help:"Speculative decoding: tokens that are drafted for each sequence and verified by its next step, up to 16; 0 is none. Needs --speculative-acceptance."`
	Acceptance Floats  `name:"speculative-acceptance" placeholder:"P,…" help:"Probability, 0 to 1, that a drafted token is accepted when all before it are, by position; the last one holds for those after it. Of vLLM's shares by position, each divided by the one before."`
	DraftCost  float64 `name:"speculative-draft-cost" default:"0" placeholder:"X" help:"Time that a drafting model takes for a pass, as a share of the engine's own time for it; 0 for drafts of n-grams, which need no model."`
}

// Adapters is about LoRA adapters.
type Adapters struct {
	MaxLoras int          `name:"max-loras" default:"0" placeholder:"N" help:"LoRA adapters that a worker has on its GPU at a time; requests for others wait for a slot. 0 is no slots: adapters are taken for the model itself."`
	LoadTime Milliseconds `name:"lora-load-time" default:"0" placeholder:"TIME" help:"Time (ms) that loading an adapter into a slot adds to a step."`
	Adapters int          `name:"lora-adapters" default:"0" placeholder:"N" help:"LoRA adapters that there are, named lora-0 and so on. In virtual time each session draws one, unless its requests name a model in their extra fields."`
	Skew     float64      `name:"lora-skew" default:"0" placeholder:"S" help:"How unequal the shares of adapters are: that of adapter i follows (i+1)^−S; 0 is equal."`
}

// latency is that of transfers.
func (f *Transfers) latency(bad *fault.List) time.Duration {
	bad.When(f.Latency < 0, "%s inf: must end", fault.Field("kv-transfer-latency"))
	return time.Duration(f.Latency)
}
