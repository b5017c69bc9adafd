package engine

import "strings"

// Type names the engine whose scheduler is followed.
type Type string

// The schedulers. They differ in the data of one table, not in code.
const (
	// VLLM computes prompts and output in the same steps. Blocks in the
	// prefix cache count as computed at admission.
	VLLM Type = "vllm"
	// SGLang gives a step to prompts or to decoding, prompts first; see
	// [SGLangConfig].
	SGLang Type = "sglang"
	// TRTLLM is VLLM with TensorRT-LLM's guaranteed no-evict policy: the
	// blocks of prompt and whole output are set aside at admission, and
	// nothing is ever preempted.
	TRTLLM Type = "trtllm"
	// Mocker2025 is Dynamo's mocker as of 2025: admission counts every prompt
	// in full whatever is cached, a prefill costs the blocks that are not in
	// the cache at any position, the blocks of the whole prompt are taken
	// with its first chunk, the step that completes a prompt also decodes
	// it, and the oldest is preempted. One difference remains: there a
	// sequence that finds no block misses a step besides the preemption it
	// causes; here it takes the block that the preemption freed.
	Mocker2025 Type = "mocker-2025"
	// Mocker14 is VLLM as Dynamo's mocker has it up to release 1.4: the step
	// that completes a prompt also takes the time of decoding it, so that a
	// lone prompt of 571 tokens has its first token after 31.078 ms and not
	// after 25.308 ms. Workers that only prefill do not decode.
	Mocker14 Type = "mocker-1.4"
)

// Types are the names that [Type] may have.
func Types() []Type { return []Type{VLLM, SGLang, TRTLLM, Mocker14, Mocker2025} }

func typeNames() string {
	var names []string
	for _, t := range Types() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

// Preemption says which sequence gives way when the blocks run out.
type Preemption string

// The orders of preemption.
const (
	// LIFO preempts the sequence admitted last.
	LIFO Preemption = "lifo"
	// FIFO preempts the sequence admitted first.
	FIFO Preemption = "fifo"
	// retraction is SGLang's: the least output first, then the longest prompt.
	retraction Preemption = "retract"
)

// Role is what a worker does of a request.
type Role string

// The roles.
const (
	// Aggregated workers do all of it.
	Aggregated Role = "agg"
	// PrefillOnly workers end with the first token; a request that wants more
	// gets HandedOver after it. The blocks stay in the prefix cache only.
	PrefillOnly Role = "prefill"
	// DecodeOnly workers get requests whose prompt and first token were
	// computed elsewhere. They take the blocks at admission, wait for the
	// transfer, and go on with Token 2. A preempted request's context is
	// transferred again, so prefill time is never added.
	DecodeOnly Role = "decode"
)

func (r Role) known() bool { return r == Aggregated || r == PrefillOnly || r == DecodeOnly }

// TransferMode says which tokens' keys and values travel to a DecodeOnly
// worker.
type TransferMode string

// The modes.
const (
	// FullPrompt transfers everything.
	FullPrompt TransferMode = "full_prompt"
	// DestinationMissing transfers what follows the leading blocks that the
	// worker has in its prefix cache.
	DestinationMissing TransferMode = "destination_missing"
)

func (m TransferMode) known() bool { return m == FullPrompt || m == DestinationMissing }

// scheduler is what distinguishes the engines.
type scheduler struct {
	phased  bool // a step computes prompts or decodes, never both
	credit  bool // leading blocks in the cache are neither computed nor counted at admission
	reserve bool // admission sets aside the blocks of the whole output
	whole   bool // the blocks of the whole prompt are taken with its first chunk
	blocks  bool // what decoding takes follows from the blocks in use, not from the tokens of those who decode
	ahead   int  // 1: a token's own block is taken with the token, and not with the next one
	first   bool // the step that completes a prompt takes the time of decoding it, too
	victim  Preemption
	toBack  bool // what was preempted goes behind those that wait
	replies bool // full blocks of output stay in the prefix cache under the names of a later prompt
}

// CachesReplies says whether the engine keeps the full blocks of replies so that a
// prompt that goes on from one finds them. vLLM names a block when it is full, SGLang
// and TensorRT-LLM when the request ends. Of Dynamo's mocker they do not: it makes
// random tokens, which no later prompt has.
func (t Type) CachesReplies() bool { return t == "" || schedulers[t].replies }

var schedulers = map[Type]scheduler{
	VLLM:       {credit: true, victim: LIFO, replies: true},
	SGLang:     {credit: true, phased: true, victim: retraction, toBack: true, replies: true},
	TRTLLM:     {credit: true, reserve: true, victim: LIFO, replies: true},
	Mocker14:   {credit: true, blocks: true, first: true, victim: LIFO},
	Mocker2025: {whole: true, blocks: true, ahead: 1, first: true, victim: FIFO},
}
