// Package model says what a model, a GPU and a parallel mapping are, in
// numbers: the facts of a config.json, a table of GPUs and their links, which
// weights and which KV cache lie on which GPU, and how long one step of an
// engine takes by a roofline.
//
// Data flows one way: [Parse] or [Lookup] gives a [Model], [LookupGPU] a
// [GPU]; a [Mapping] says how the one is spread over several of the other. The
// three together are a [Setup], from which come [Setup.Memory],
// [Setup.Roofline] and [Candidates].
//
// Everything is arithmetic on published figures: no weight is read, nothing is
// measured, and the same input gives the same output. Where a figure is an
// assumption its comment says so, and [Setup.Fit] replaces the two that matter
// most by what was measured.
//
// The package refuses what it cannot count: models without attention in every
// layer (state-space and linear-attention hybrids), encoder-decoders,
// quantisation methods whose bits it does not know. It guesses nothing in
// silence: what a configuration leaves out is an error that names the key, or,
// where one value is usual, a line in [Model.Assumed].
//
// Parameters are counted without biases and without the norms of heads (under
// 0.1 % of any model), without vision or audio towers, and without the
// multi-token-prediction layers of DeepSeek-V3, which ordinary decoding does
// not load.
package model
