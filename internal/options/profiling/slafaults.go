package profiling

import (
	"slices"
	"strings"

	"headway/internal/deploy/dgd"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/options"
)

// Faults adds what is wrong with the options, whatever the model is. Synonyms have
// been taken before.
func (f *SLA) Faults(a options.Caller, bad *fault.List) {
	f.targetFaults(bad)
	f.searchFaults(bad)
	f.onFaults(a, bad)
	f.Web.Faults(bad)
	bad.When(f.Resume && f.Overwrite, "%s with %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	bad.When(f.JSON && f.Markdown(), "%s and %s markdown: give one of them", fault.Field("json"), fault.Field("format"))
	bad.When((f.PVCPath != "" || a.Given["model-cache-pvc-mount-path"]) && f.PVC == "", "%s and %s: need %s",
		fault.Field("model-cache-pvc-path"), fault.Field("model-cache-pvc-mount-path"),
		fault.Field("model-cache-pvc-name"))
}

// Synonyms takes the options of a simulated search by AIConfigurator's (now AISimulate's) names, and
// says whether they were.
func (f *SLA) Synonyms(a options.Caller, bad *fault.List) (simulated bool) {
	aic, on := fault.Field("use-ai-configurator"), fault.Field("on")
	if f.AIC {
		bad.When(a.Given["on"] && f.On != "sim", "%s with %s %s: it is Dynamo's name for %s sim", aic, on, f.On, on)
		f.On = "sim"
	}
	for _, o := range []struct {
		name, other fault.Field
		value       string
		to          *string
	}{
		{"aic-system", "gpu", f.AICSystem, &f.GPU},
		{"aic-hf-id", "model", f.AICModel, &f.Model},
		{"aic-backend", "backend", f.AICBackend, &f.Backend},
	} {
		switch {
		case o.value == "":
		case !f.AIC:
			bad.Add("%s: goes with %s; otherwise it is %s", o.name, aic, o.other)
		case a.Given[string(o.other)] && *o.to != o.value:
			bad.Add("%s %s with %s %s: give one of them", o.name, o.value, o.other, *o.to)
		default:
			*o.to = o.value
		}
	}
	bad.When(!slices.Contains(dgd.Backends(), f.Backend), "%s %s: must be one of %s",
		fault.Field("backend"), f.Backend, strings.Join(dgd.Backends(), ", "))
	return f.AIC
}

// targetFaults are those of what is deployed on what, and of the demand.
func (f *SLA) targetFaults(bad *fault.List) {
	bad.Between("gpu-memory-utilization", f.MemoryShare, 0.01, 1)
	bad.Between("compute-efficiency", f.ComputeEff, 0.01, 1)
	bad.Between("memory-efficiency", f.MemoryEff, 0.01, 1)
	for name, v := range map[fault.Field]float64{"gpu-memory-gib": f.GPUMemory, "gpu-bandwidth-tbs": f.GPUBand,
		"gpu-bf16-tflops": f.GPUFLOPS, "kv-cache-element-bytes": f.KVBytes, "request-rate": f.Rate,
		"concurrency": f.InFlight,
		"total-gpus":  float64(f.TotalGPUs), "engine-startup-time": float64(f.Startup)} {
		bad.NotNegative(name, v)
	}
	bad.When(f.Rate > 0 && f.InFlight > 0, "%s with %s: give one of them", fault.Field("request-rate"),
		fault.Field("concurrency"))
	bad.Positive("gpu-cost-per-hour", f.GPUHour)
	bad.Positive("weights-load-rate", f.LoadRate)
}

// searchFaults are those of how it is searched. Where the search takes 0 for its
// default, the command line does not.
func (f *SLA) searchFaults(bad *fault.List) {
	for name, v := range map[fault.Field]float64{"repeats": float64(f.Repeats), "parallel": float64(f.Parallel),
		"roofline-error": f.Error} {
		bad.When(v == 0, "%s 0: must be above 0", name)
	}
	prompts, loads := fault.Field("prefill-interpolation-granularity"), fault.Field("decode-interpolation-granularity")
	bad.When(f.DecodeG == 0 && !f.Curves, "%s 0: must be above 0", loads)
	bad.When(f.Curves && f.PrefillG < 3, "%s %d: must be at least 3, since a cubic curve takes 4 prompt lengths",
		prompts, f.PrefillG)
	bad.When(f.Curves && f.DecodeG < 2, "%s %d: must be at least 2, since a surface takes several loads", loads,
		f.DecodeG)
}

// KVElement is the size of one value in the KV cache in bytes; 0 is the model's own.
func (f *SLA) KVElement(a options.Caller) (float64, error) {
	element, err := model.KVElementBytes(f.KVDType)
	switch {
	case err != nil:
		return 0, fault.New("%s: %w", fault.Field("kv-cache-dtype"), err)
	case !a.Given["kv-cache-dtype"]:
		return f.KVBytes, nil
	case a.Given["kv-cache-element-bytes"]:
		return 0, fault.New("%s with %s: give one of them", fault.Field("kv-cache-dtype"),
			fault.Field("kv-cache-element-bytes"))
	}
	return element, nil
}
