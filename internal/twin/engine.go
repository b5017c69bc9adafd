package twin

import (
	"headway/internal/cluster"
	"headway/internal/engine"
)

// Engine is what is known of a server's scheduler and cache.
type Engine struct {
	// Type is the engine whose scheduler is followed.
	Type engine.Type `json:"type"`
	// MaxNumSeqs, MaxNumBatchedTokens, Blocks and BlockSize (tokens) are those of
	// [engine.Config]; for SGLang MaxNumBatchedTokens is its chunked prefill.
	MaxNumSeqs          int `json:"max_num_seqs"`
	MaxNumBatchedTokens int `json:"max_num_batched_tokens"`
	Blocks              int `json:"blocks"`
	BlockSize           int `json:"block_size"`
}

// Config is the cluster of one server.
func (e Engine) Config(m *Model) cluster.Config {
	c := cluster.Defaults()
	c.Frontend = 0
	c.API = m.API(e.Type)
	c.Engine = engine.Config{Type: e.Type, MaxNumSeqs: e.MaxNumSeqs, MaxNumBatchedTokens: e.MaxNumBatchedTokens,
		NumGPUBlocks: e.Blocks, BlockSize: e.BlockSize, Timing: m.Timing(e.Type)}
	if e.Type == engine.SGLang {
		c.Engine.SGLang.ChunkedPrefillSize = e.MaxNumBatchedTokens
	}
	return c
}

// Coarse is the same cache in blocks of at least 16 tokens: loads that share no
// prompt do not see the difference, and a simulation does.
func (e Engine) Coarse() Engine {
	if n := 16 / max(e.BlockSize, 1); n > 1 {
		e.BlockSize, e.Blocks = e.BlockSize*n, e.Blocks/n
	}
	return e
}
