package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Format is the number format in which matrices are multiplied.
type Format string

// The formats of the GPU table. BF16 stands for FP16 too, which has the same
// rate on every GPU of it.
const (
	BF16 Format = "bf16"
	FP8  Format = "fp8"
	INT8 Format = "int8"
	FP4  Format = "fp4"
)

// Quantization says how the weights of the linear layers are stored. The
// embedding, the output head, norms and the router are never quantised here,
// as is usual in published checkpoints.
type Quantization struct {
	// Method is what the configuration calls it (fp8, awq, mxfp4 …); empty
	// means not quantised.
	Method string
	// WeightBits are the bits of one weight, and ScaleBits the share of the
	// scales and zero points that one weight bears.
	WeightBits, ScaleBits float64
	// Block is the largest side of the block or group that shares a scale, in
	// weights; 0 when there is none or it is not stated. A tensor-parallel
	// slice has to be a multiple of it.
	Block int
	// Compute is the format in which a GPU that has it multiplies; weight-only
	// methods are BF16.
	Compute Format
	// ExpertsOnly says that only routed experts are quantised, as in gpt-oss.
	ExpertsOnly bool
	// KVBits are the bits of one value in the KV cache that the checkpoint was
	// made for; 0 leaves the cache as it is. Weights need not be quantised.
	KVBits float64
}

// BytesPerParameter is what one quantised weight takes with its scales; 0 when
// nothing is quantised.
func (q Quantization) BytesPerParameter() float64 { return (q.WeightBits + q.ScaleBits) / 8 }

// linearBytes is what one weight of a linear layer takes, routed experts apart.
func (m Model) linearBytes() float64 {
	if m.Quantization.Method == "" || m.Quantization.ExpertsOnly {
		return m.DTypeBytes
	}
	return m.Quantization.BytesPerParameter()
}

// expertBytes is what one weight of a routed expert takes.
func (m Model) expertBytes() float64 {
	if m.Quantization.Method == "" {
		return m.DTypeBytes
	}
	return m.Quantization.BytesPerParameter()
}

// linearFormat and expertFormat are the formats of the multiplications.
func (m Model) linearFormat() Format {
	if m.Quantization.Method == "" || m.Quantization.ExpertsOnly {
		return BF16
	}
	return m.Quantization.Compute
}

func (m Model) expertFormat() Format {
	if m.Quantization.Method == "" {
		return BF16
	}
	return m.Quantization.Compute
}

// knownMethods are named in the error for an unknown one.
const knownMethods = "fp8, fbgemm_fp8, ptpc_fp8, awq, gptq, auto-round, compressed-tensors, bitsandbytes, " +
	"mxfp4, modelopt"

func parseQuantization(raw json.RawMessage) (Quantization, error) {
	c, err := decodeFields(raw)
	if err != nil {
		return Quantization{}, fmt.Errorf("quantization_config: %w", err)
	}
	q := Quantization{Method: strings.ToLower(c.text("quant_method", "quantization_method")), Compute: BF16}
	if q.Method == "" && c.has("quant_algo") {
		q.Method = "modelopt"
	}
	if q.Method == "" && c.has("kv_cache_quant_algo") {
		q.Method = "modelopt"
	}
	if err := q.readKV(&c); err != nil {
		return Quantization{}, fmt.Errorf("quantization_config: %w", err)
	}
	q.Block = c.largest("weight_block_size", "block_size", "group_size", "q_group_size")
	if err := q.fill(&c); err != nil {
		return Quantization{}, err
	}
	if err := c.err(); err != nil {
		return Quantization{}, fmt.Errorf("quantization_config: %w", err)
	}
	return q, nil
}

// fill sets the bits by the method.
func (q *Quantization) fill(c *fields) error {
	switch q.Method {
	case "":
		return fmt.Errorf("quantization_config: quant_method is missing")
	case "fp8", "fbgemm_fp8", "ptpc_fp8":
		q.WeightBits, q.Compute = 8, FP8
		if q.Block > 0 {
			q.ScaleBits = 32 / (float64(q.Block) * float64(q.Block))
		}
	case "compressed-tensors":
		return q.fillGroups(c)
	case "bitsandbytes":
		if c.flag("load_in_8bit", "_load_in_8bit") {
			q.WeightBits = 8
		} else {
			// NF4 with one 32-bit scale for 64 weights.
			q.WeightBits, q.ScaleBits = 4, 0.5
		}
	case "mxfp4":
		// OCP Microscaling: one 8-bit scale for 32 weights.
		q.WeightBits, q.ScaleBits, q.ExpertsOnly = 4, 0.25, true
		if q.Block == 0 {
			q.Block = 32
		}
	case "modelopt", "modelopt_fp4", "nvfp4":
		return q.fillModelOpt(c)
	default:
		return q.fillGrouped(c)
	}
	return nil
}

// fillGrouped reads the weight-only integer methods.
func (q *Quantization) fillGrouped(c *fields) error {
	bits := c.count("bits", "w_bit", "num_bits")
	if bits == 0 {
		return fmt.Errorf("quantization_config: method %q is not known and gives no bits (known: %s)",
			q.Method, knownMethods)
	}
	q.setBits(float64(bits))
	return nil
}

// setBits is for integer weights with a 16-bit scale and a zero point per
// group.
func (q *Quantization) setBits(bits float64) {
	q.WeightBits = bits
	if q.Block > 0 {
		q.ScaleBits = (16 + bits) / float64(q.Block)
	}
}

func (q *Quantization) fillModelOpt(c *fields) error {
	algo := strings.ToUpper(c.text("quant_algo"))
	if q.KVBits > 0 && (algo == "" || algo == "NONE") {
		*q = Quantization{KVBits: q.KVBits}
		return nil
	}
	if algo == "" && q.Method != "modelopt" {
		algo = "NVFP4"
	}
	switch algo {
	case "FP8", "FP8_PER_CHANNEL_PER_TOKEN":
		q.WeightBits, q.Compute = 8, FP8
	case "NVFP4":
		// One 8-bit scale for 16 weights.
		q.WeightBits, q.ScaleBits, q.Compute = 4, 0.5, FP4
		if q.Block == 0 {
			q.Block = 16
		}
	case "W4A16_AWQ":
		q.setBits(4)
	default:
		return fmt.Errorf("quantization_config: quant_algo %q is not known (known: FP8, NVFP4, W4A16_AWQ)", algo)
	}
	return nil
}

// fillGroups reads compressed-tensors. Where groups differ, the one with the
// widest weights counts: it is the safe side for memory.
func (q *Quantization) fillGroups(c *fields) error {
	groups, err := decodeFields(c.values["config_groups"])
	if err == nil && len(groups.values) == 0 && q.KVBits > 0 {
		*q = Quantization{KVBits: q.KVBits}
		return nil
	}
	if err != nil || len(groups.values) == 0 {
		return fmt.Errorf("quantization_config: compressed-tensors without config_groups")
	}
	for _, name := range slices.Sorted(maps.Keys(groups.values)) {
		g, err := decodeFields(groups.values[name])
		if err != nil {
			return fmt.Errorf("quantization_config: config_groups.%s: %w", name, err)
		}
		w, err := decodeFields(g.values["weights"])
		if err != nil {
			return fmt.Errorf("quantization_config: config_groups.%s.weights: %w", name, err)
		}
		bits := float64(w.count("num_bits"))
		if bits == 0 {
			return fmt.Errorf("quantization_config: config_groups.%s.weights.num_bits is missing", name)
		}
		if bits < q.WeightBits {
			continue
		}
		block := w.largest("block_structure", "group_size")
		*q = Quantization{Method: q.Method, Block: block, Compute: groupFormat(g, bits, w.text("type")),
			KVBits: q.KVBits}
		q.setBits(bits)
		if err := w.err(); err != nil {
			return fmt.Errorf("quantization_config: config_groups.%s.weights: %w", name, err)
		}
	}
	return nil
}

// groupFormat is the format of the multiplication: BF16 unless activations are
// quantised too.
func groupFormat(group fields, bits float64, kind string) Format {
	activations, err := decodeFields(group.values["input_activations"])
	switch {
	case err != nil || len(activations.values) == 0:
		return BF16
	case bits <= 4 && kind == "float":
		return FP4
	case kind == "float":
		return FP8
	}
	return INT8
}
