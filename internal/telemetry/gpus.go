package telemetry

import (
	"slices"
	"strings"
)

// GPUs chooses samples of GPUs, as those of one engine among all of a host; nil takes
// all. What is no GPU is always taken.
type GPUs func(Sample) bool

// leastID is how much of a GPU's own id names it: "GPU-" and a few digits.
const leastID = len("GPU-") + 4

// Visible are the GPUs that CUDA_VISIBLE_DEVICES names: by their number, or by the
// begin of their own id, as CUDA takes both. A number is nvidia-smi's and DCGM's, which
// is CUDA's where all GPUs of the host are alike, or where CUDA_DEVICE_ORDER is
// PCI_BUS_ID. An instance of MIG (MIG-...) is none: what is told of the GPU below it is
// of others, too.
func Visible(ids []string) GPUs {
	return func(s Sample) bool {
		number, _, instance := strings.Cut(s.Of, "/")
		return slices.ContainsFunc(ids, func(id string) bool {
			return id == number && !instance ||
				len(id) >= leastID && strings.HasPrefix(id, "GPU-") && strings.HasPrefix(s.Device, id)
		})
	}
}

// OfPods are the GPUs of Kubernetes pods, as DCGM's exporter has their names; one whose
// pod is not told is none of them.
func OfPods(has func(pod string) bool) GPUs {
	return func(s Sample) bool { return s.Pod != "" && has(s.Pod) }
}

// of are the samples that are taken.
func (g GPUs) of(samples []Sample) []Sample {
	if g == nil {
		return samples
	}
	return slices.DeleteFunc(samples, func(s Sample) bool { return kindOf(s.Engine) == KindGPU && !g(s) })
}
