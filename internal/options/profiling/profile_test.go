package profiling

import (
	"strings"
	"testing"

	"headway/internal/fault"
	"headway/internal/options"
)

// lines are the faults, by the names of fields.
func lines(err error) string {
	if err == nil {
		return ""
	}
	return "\n" + err.Error() + "\n"
}

func TestProfileEndpointFaults(t *testing.T) {
	f := ProfileEndpoint{Mode: "decode", MaxContext: 500, Granularity: 1, DP: 1, Resume: true, Overwrite: true,
		JSON:   true,
		Format: options.Format{Format: "markdown"}, URLs: []string{"http://a:1", "http://b:1"}, MaxSpread: 5}
	f.EndpointType, f.Timeout = "chat", options.Seconds(1)
	_, err := f.Config(options.Caller{})
	for _, want := range []string{"model-name: name the model", "url: 2 addresses", "num-gpus 0: must be above zero",
		"resume with overwrite",
		"json and format markdown", "repeats 0: must be from 1 to 100", "max-kv-tokens: needed for decode",
		"interpolation granularity 1"} {
		if !strings.Contains(lines(err), "\n"+want) {
			t.Errorf("no %q in%s", want, lines(err))
		}
	}
}

func TestRooflineAndQueryFaults(t *testing.T) {
	if _, err := (&ProfileQuery{ISL: 1, OSL: 1, TTFT: 1, ITL: -1}).Question(); strings.Count(lines(err), "\n") != 3 {
		t.Errorf("faults%s", lines(err))
	}
	f := ProfileRoofline{Dir: "d", ComputeEff: .5, MemoryEff: .5, KnownModel: "llama-3.1-8b", GPU: "h200_sxm",
		Mapping: "TP=2", KVDType: "fp8"}
	s, err := f.Setup()
	if err != nil || s.KVElementBytes != 1 || s.Efficiency.Compute != .5 || s.Mapping.String() != "TP=2" {
		t.Errorf("%+v, %v", s, err)
	}
	f.ModelConfig = "x"
	if _, err := f.Setup(); err == nil || !strings.Contains(err.Error(), "give known-model or model-config") {
		t.Errorf("%v", err)
	}
}

func sla() *SLA {
	f := &SLA{}
	f.On = "sim"
	f.Backend = "vllm"
	f.Method = "fast"
	f.GPU = "h200_sxm"
	f.MemoryShare, f.ComputeEff, f.MemoryEff = .9, .6, .8
	f.GPUHour, f.LoadRate, f.KVDType = 3, 2, "auto"
	f.Repeats, f.Parallel, f.Error = 3, 1, 30
	return f
}

// AIConfigurator's names are those of a simulated search.
func TestSLASynonyms(t *testing.T) {
	f := sla()
	f.AIC, f.AICSystem, f.AICModel = true, "h100_sxm", "m"
	var bad fault.List
	if !f.Synonyms(options.Caller{}, &bad) || len(bad) != 0 || f.GPU != "h100_sxm" || f.Model != "m" {
		t.Errorf("%+v, %v", f.SLAModel, bad)
	}
	f = sla()
	f.AICSystem, f.Backend = "h100_sxm", "other"
	f.Synonyms(options.Caller{}, &bad)
	if text := lines(bad.Err()); !strings.Contains(text,
		"aic-system: goes with use-ai-configurator; otherwise it is gpu") ||
		!strings.Contains(text, "backend other: must be one of") {
		t.Errorf("faults%s", text)
	}
}

// Options without an effect are refused, and so is what makes no sense whatever the
// model is.
func TestSLAFaults(t *testing.T) {
	faults := func(change func(*SLA), given ...string) string {
		f, c := sla(), options.Caller{Given: map[string]bool{}}
		change(f)
		for _, g := range given {
			c.Given[g] = true
		}
		var bad fault.List
		f.Faults(c, &bad)
		return lines(bad.Err())
	}
	f := func(*SLA) {}
	if text := faults(func(s *SLA) { s.DecodeG = 1 }); text != "" {
		t.Errorf("faults%s", text)
	}
	if text := faults(f); text != "\ndecode-interpolation-granularity 0: must be above 0\n" {
		t.Errorf("faults%s", text)
	}
	for want, text := range map[string]string{
		"engine-command: has no effect without on process": faults(f, "engine-command"),
		"max-lag: has no effect without on process or on":  faults(f, "max-lag"),
		"kubeconfig: has no effect without on kube":        faults(f, "kubeconfig"),
		"engine-start-timeout 0: must be above zero":       faults(func(s *SLA) { s.On = "process" }),
		"unschedulable-grace 0: must be above zero":        faults(func(s *SLA) { s.On = "kube" }),
		"prefill-interpolation-granularity 2: must be at":  faults(func(s *SLA) { s.Curves, s.PrefillG = true, 2 }),
		"on kube, or twin":            faults(f, "max-kv-tokens"),
		"has no effect without twin":  faults(f, "max-num-seqs"),
		"twin: has no effect without": faults(func(s *SLA) { s.On, s.Twin = "kube", "t" }, "twin"),
		"max-num-batched-tokens -1":   faults(func(s *SLA) { s.Twin, s.TwinTokens = "t", -1 }),
		"need model-cache-pvc-name":   faults(func(s *SLA) { s.PVCPath = "p" }),
		"roofline-error: has no effect without search": faults(func(s *SLA) { s.Method = "thorough" },
			"roofline-error"),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in%s", want, text)
		}
	}
}

func TestKVElement(t *testing.T) {
	f := sla()
	f.KVBytes, f.KVDType = 2, "fp8"
	given := map[string]bool{}
	if b, err := f.KVElement(options.Caller{Given: given}); b != 2 || err != nil {
		t.Error(b, err)
	}
	given["kv-cache-dtype"] = true
	if b, err := f.KVElement(options.Caller{Given: given}); b != 1 || err != nil {
		t.Error(b, err)
	}
	given["kv-cache-element-bytes"] = true
	if _, err := f.KVElement(options.Caller{Given: given}); err == nil {
		t.Error("both were taken")
	}
}
