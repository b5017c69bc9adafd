package cluster

import (
	"headway/internal/engine"
	"headway/internal/model"
)

// UseRoofline times the steps of all workers by a model on GPUs. The number of KV blocks
// and the bytes of a token in the cache are the model's where they are not set. The Basis
// says what such times were found to be off.
func (c *Config) UseRoofline(s model.Setup) error {
	r, err := s.Roofline()
	if err != nil {
		return err
	}
	c.Engine.Timing, c.Basis = engine.StepFunc(r.StepTime), Basis{Code: Uncalibrated, Text: rooflineError}
	if c.Engine.NumGPUBlocks == 0 {
		m, err := s.Memory()
		if err != nil {
			return err
		}
		c.Engine.NumGPUBlocks = m.Blocks(c.BlockSize())
	}
	if c.Engine.KVBytesPerToken == 0 {
		c.Engine.KVBytesPerToken = int(s.Model.KVBytesPerToken(s.KVElementBytes))
	}
	return nil
}
