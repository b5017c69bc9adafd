package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Link is a way between GPUs.
type Link struct {
	// Name says what it is.
	Name string
	// BytesPerSecond is the peak of one GPU in one direction. Data sheets give
	// NVLink and PCIe for both directions together: half of it stands here.
	BytesPerSecond float64
	// Latency is what one collective operation of few bytes takes. No data
	// sheet has it: 8 µs over NVLink, 20 over PCIe and 25 over a network are
	// assumptions of the usual size, not measurements.
	Latency time.Duration
}

// GPU are the figures of one GPU and of what connects it to others.
type GPU struct {
	// Name is AISimulate's name of the system, such as h100_sxm; Title the
	// one for people.
	Name, Title string
	// MemoryBytes is what the driver reports as total, which is what an
	// engine's memory fraction is a fraction of. The "80 GB" of a data sheet is
	// neither 80e9 bytes nor 80 GiB.
	MemoryBytes float64
	// BytesPerSecond is the peak memory bandwidth.
	BytesPerSecond float64
	// FLOPS are the peak dense rates in operations a second, by format and
	// without sparsity, which data sheets often include. A format that is not
	// there is computed as BF16.
	FLOPS map[Format]float64
	// Node connects the GPUs of one node, Network those of different nodes.
	Node, Network Link
	// PerNode is the usual number of GPUs in a node.
	PerNode int

	aliases []string
}

// With is the GPU with other figures where they are above 0: bytes of memory, and
// the peak rates of bytes and of dense BF16 operations in a second. The rates of
// other formats are scaled with that of BF16.
func (g GPU) With(memory, bytesPerSecond, bf16 float64) GPU {
	if memory > 0 {
		g.MemoryBytes = memory
	}
	if bytesPerSecond > 0 {
		g.BytesPerSecond = bytesPerSecond
	}
	if bf16 > 0 {
		by := bf16 / g.FLOPS[BF16]
		g.FLOPS = maps.Clone(g.FLOPS)
		for f := range g.FLOPS {
			g.FLOPS[f] *= by
		}
	}
	return g
}

// rate is the peak in a format, or that of BF16 where the GPU lacks it:
// weight-only kernels then unpack the weights and multiply in BF16.
func (g GPU) rate(f Format) float64 {
	if r, ok := g.FLOPS[f]; ok {
		return r
	}
	return g.FLOPS[BF16]
}

const (
	tera = 1e12
	mib  = 1 << 20
)

func nvlink(generation int, bothDirections float64) Link {
	return Link{Name: fmt.Sprintf("NVLink %d", generation), BytesPerSecond: bothDirections / 2,
		Latency: 8 * time.Microsecond}
}

// network is an InfiniBand or RoCE port per GPU.
func network(gigabits float64) Link {
	return Link{Name: fmt.Sprintf("%g Gb/s network", gigabits), BytesPerSecond: gigabits * 1e9 / 8,
		Latency: 25 * time.Microsecond}
}

// GPUs lists the GPUs that are known; each call gives a fresh copy.
//
// Rates, bandwidth and links are those of NVIDIA's data sheets, which are named
// at each; sparse rates are halved. Memory is memory.total of nvidia-smi.
func GPUs() []GPU {
	return []GPU{
		{ // "NVIDIA A100 Tensor Core GPU" data sheet, A100 80GB SXM; DGX A100: 8 × 200 Gb/s. No FP8.
			Name: "a100_sxm", Title: "A100 SXM 80GB", MemoryBytes: 81920 * mib, BytesPerSecond: 2.039 * tera,
			FLOPS: map[Format]float64{BF16: 312 * tera, INT8: 624 * tera},
			Node:  nvlink(3, 600e9), Network: network(200), PerNode: 8,
			aliases: []string{"a100", "a100_sxm4_80gb", "a100_80gb"},
		},
		{ // "NVIDIA H100 Tensor Core GPU" data sheet, H100 SXM: 1,979 and 3,958 with sparsity; DGX H100: 8 × 400 Gb/s.
			Name: "h100_sxm", Title: "H100 SXM 80GB", MemoryBytes: 81559 * mib, BytesPerSecond: 3.35 * tera,
			FLOPS: map[Format]float64{BF16: 989.5 * tera, FP8: 1979 * tera, INT8: 1979 * tera},
			Node:  nvlink(4, 900e9), Network: network(400), PerNode: 8,
			aliases: []string{"h100", "h100_80gb_hbm3", "h100_sxm5", "h100_sxm5_80gb"},
		},
		{ // "NVIDIA H200 Tensor Core GPU" data sheet, H200 SXM: rates of the H100; 141 GB.
			Name: "h200_sxm", Title: "H200 SXM 141GB", MemoryBytes: 143771 * mib, BytesPerSecond: 4.8 * tera,
			FLOPS: map[Format]float64{BF16: 989.5 * tera, FP8: 1979 * tera, INT8: 1979 * tera},
			Node:  nvlink(4, 900e9), Network: network(400), PerNode: 8,
			aliases: []string{"h200", "h200_sxm5", "h200_141gb"},
		},
		// "NVIDIA Blackwell" data sheet, HGX B200, one GPU: FP4 18, FP8 9, FP16 4.5
		// PFLOPS with sparsity; 180 GB, 7.7 TB/s.
		{
			Name: "b200_sxm", Title: "B200 SXM 180GB", MemoryBytes: 183359 * mib, BytesPerSecond: 7.7 * tera,
			FLOPS: map[Format]float64{BF16: 2250 * tera, FP8: 4500 * tera, INT8: 4500 * tera, FP4: 9000 * tera},
			Node:  nvlink(5, 1800e9), Network: network(400), PerNode: 8,
			aliases: []string{"b200", "b200_sxm6"},
		},
		// "NVIDIA L40S" data sheet: 362.05 and 733 dense; PCIe 4.0 x16, 64 GB/s
		// both ways, no NVLink. One 400 Gb/s port for two GPUs.
		{
			Name: "l40s", Title: "L40S 48GB", MemoryBytes: 46068 * mib, BytesPerSecond: 0.864 * tera,
			FLOPS:   map[Format]float64{BF16: 362.05 * tera, FP8: 733 * tera, INT8: 733 * tera},
			Node:    Link{Name: "PCIe 4.0 x16", BytesPerSecond: 32e9, Latency: 20 * time.Microsecond},
			Network: network(200), PerNode: 8,
			aliases: []string{"l40s_48gb"},
		},
	}
}

// LookupGPU finds a GPU by AISimulate's name, a short one (h100), or the
// product label of a Kubernetes node (NVIDIA-H100-80GB-HBM3).
func LookupGPU(name string) (GPU, error) {
	key := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
	key = strings.TrimPrefix(key, "nvidia_")
	var names []string
	for _, g := range GPUs() {
		if g.Name == key || slices.Contains(g.aliases, key) {
			return g, nil
		}
		names = append(names, g.Name)
	}
	return GPU{}, fmt.Errorf("the GPU %q is not known (known: %s)", name, strings.Join(names, ", "))
}
