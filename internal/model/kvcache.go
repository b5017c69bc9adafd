package model

import (
	"fmt"
	"slices"
	"strings"
)

// kvFormats are the number formats of a KV cache and the bytes of one value,
// by the names that engines give them (--kv-cache-dtype of vLLM and SGLang,
// kv_cache_config.dtype of TensorRT-LLM). NVFP4 bears one 8-bit scale for 16
// values; FP8 and INT8 caches have a scale for each tensor, which is nothing.
var kvFormats = []struct {
	names []string
	bytes float64
}{
	{[]string{"float32", "fp32"}, 4},
	{[]string{"bfloat16", "bf16", "float16", "fp16", "half"}, 2},
	{[]string{"fp8", "fp8_e4m3", "fp8_e5m2", "int8"}, 1},
	{[]string{"nvfp4", "fp4", "fp4_e2m1"}, 4.5 / 8},
}

// KVElementBytes is the size of one value in a KV cache of the format that an
// engine calls name, in bytes; 0, for "auto" and no name, is what the model
// says.
func KVElementBytes(name string) (float64, error) {
	if name == "" || name == "auto" {
		return 0, nil
	}
	known := []string{"auto"}
	for _, f := range kvFormats {
		if slices.Contains(f.names, strings.ToLower(name)) {
			return f.bytes, nil
		}
		known = append(known, f.names...)
	}
	return 0, fmt.Errorf("KV cache format %q is not known: must be one of %s", name, strings.Join(known, ", "))
}

// KVElementBytes is the size of one value in the KV cache where the engine is
// not told otherwise: what the checkpoint was made for, else that of DType.
func (m Model) KVElementBytes() float64 {
	if m.Quantization.KVBits > 0 {
		return m.Quantization.KVBits / 8
	}
	return m.DTypeBytes
}

// readKV reads for what kind of cache a checkpoint was made: kv_cache_scheme of
// compressed-tensors and of ModelOpt's newer files, kv_cache_quant_algo of its
// older ones.
func (q *Quantization) readKV(c *fields) error {
	if _, raw := c.find("kv_cache_scheme"); raw != nil && string(raw) != "null" {
		s, err := decodeFields(raw)
		if err != nil {
			return fmt.Errorf("kv_cache_scheme: %w", err)
		}
		bits := s.count("num_bits")
		if err := s.err(); err != nil {
			return fmt.Errorf("kv_cache_scheme: %w", err)
		}
		if bits < 1 || bits > 32 {
			return fmt.Errorf("kv_cache_scheme.num_bits is %d: must be from 1 to 32", bits)
		}
		q.KVBits = float64(bits)
		if group := s.largest("group_size", "block_structure"); group > 0 {
			q.KVBits += 8 / float64(group)
		}
		return nil
	}
	algo := c.text("kv_cache_quant_algo")
	if algo == "" || strings.EqualFold(algo, "none") {
		return nil
	}
	bytes, err := KVElementBytes(algo)
	if err != nil || bytes == 0 {
		return fmt.Errorf("kv_cache_quant_algo %q is not known (known: FP8, INT8, NVFP4)", algo)
	}
	q.KVBits = 8 * bytes
	return nil
}
