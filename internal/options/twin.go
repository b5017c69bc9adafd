package options

import (
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/twin"
)

// TwinFit is what a twin is fitted on.
type TwinFit struct {
	Folders []string `arg:"" optional:"" name:"folder" help:"Results of run and bench, and profiles of an endpoint, of one server."`
	HoldOut []string `name:"hold-out" placeholder:"FOLDER" help:"Results that the fit does not see, to judge it by. May be repeated."`
	Output  string   `name:"output-file" short:"o" type:"path" default:"twin.json" placeholder:"FILE" help:"The twin."`
	TwinServer
	TwinProbe
}

// Faults lists what is wrong with the options.
func (o *TwinFit) Faults(a Caller) error {
	var bad fault.List
	bad.When(len(o.Folders)+len(o.URLs) == 0, "say what the twin is fitted on: folders of results, or %s of a server "+
		"to measure", fault.Field("url"))
	o.TwinProbe.Faults(a, &bad)
	return bad.Usage()
}

// TwinServer is how the server was configured.
type TwinServer struct {
	Engine    string `name:"engine-type" enum:"vllm,sglang,trtllm" default:"vllm" help:"The engine of the server: ${enum}."`
	MaxSeqs   int    `name:"max-num-seqs" default:"1024" help:"Requests in its batch (vLLM's --max-num-seqs, SGLang's --max-running-requests)."`
	MaxTokens int    `name:"max-num-batched-tokens" default:"8192" help:"Tokens of one of its steps (vLLM's --max-num-batched-tokens, SGLang's --chunked-prefill-size)."`
	KVTokens  int    `name:"max-kv-tokens" default:"0" placeholder:"N" help:"Tokens that its KV cache holds, as its log says. Default: so many that no load fills it."`
	BlockSize int    `name:"block-size" default:"0" placeholder:"N" help:"Tokens of a KV block. Default: 16, for sglang 1, for trtllm 32."`
}

// Learn takes what the server says of itself for what no option says. kvTokens and
// blockSize are 0 where it does not say.
func (s *TwinServer) Learn(given map[string]bool, engine string, kvTokens, blockSize int) {
	if !given["engine-type"] {
		s.Engine = engine
	}
	if s.Engine != engine {
		return
	}
	if s.KVTokens == 0 {
		s.KVTokens = kvTokens
	}
	if s.BlockSize == 0 {
		s.BlockSize = blockSize
	}
}

// manyTokens are more than any cache of today holds.
const manyTokens = 1 << 24

// Config is the server as the twin's file has it.
func (s *TwinServer) Config() (twin.Engine, error) {
	var bad fault.List
	bad.Positive("max-num-seqs", float64(s.MaxSeqs))
	bad.Positive("max-num-batched-tokens", float64(s.MaxTokens))
	bad.NotNegative("max-kv-tokens", float64(s.KVTokens))
	bad.NotNegative("block-size", float64(s.BlockSize))
	e := twin.Engine{Type: engine.Type(s.Engine), MaxNumSeqs: s.MaxSeqs,
		MaxNumBatchedTokens: max(s.MaxTokens, s.MaxSeqs), BlockSize: s.BlockSize}
	if e.BlockSize == 0 {
		e.BlockSize = map[engine.Type]int{engine.VLLM: 16, engine.SGLang: 1, engine.TRTLLM: 32}[e.Type]
	}
	tokens := s.KVTokens
	if tokens == 0 {
		tokens = manyTokens
	}
	e.Blocks = max(tokens/e.BlockSize, 1)
	return e, bad.Usage()
}
