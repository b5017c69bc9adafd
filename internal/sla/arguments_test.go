package sla

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"run --config x", "run --config x"},
		{"profile sla --config d.yaml --planner-a-b 5 --planner_c --isl 3",
			"profile sla --dgd-config=d.yaml --planner-arg=--a-b=5 --planner-arg=--c --isl 3"},
		{"profile sla --config - --config {}", "profile sla --dgdr=- --dgdr={}"},
		{"profile sla --config", "profile sla --dgd-config"},
		{"profile sla --config=d.yaml -- --config", "profile sla --dgd-config=d.yaml -- --config"},
		{`profile sla --profile_config {"sla":{"isl":7,"osl":8}} --isl=3`, "profile sla --osl=8 --isl=3"},
		{`profile sla --profile-config={'sweep':{'dry_run':True},'planner':{'planner_interval':9}}`,
			"profile sla --planner-arg=--interval=9 --dry-run=True"},
		{`profile sla --profile-config={'sweep':{'useAiConfigurator':True,'aicHfId':'m'},'outputDir':'o'}`,
			"profile sla --output-dir=o --aic-hf-id=m --use-ai-configurator=True"},
		{`profile sla --profile-config={'deployment':{'modelCache':{'pvcName':'c','mountPath':'/m'}}}`,
			"profile sla --model-cache-pvc-mount-path=/m --model-cache-pvc-name=c"},
		{`profile sla --profile-config={'planner':{'plannerMinEndpoint':2},'engine':{'isMoeModel':True}}`,
			"profile sla --planner-arg=--min-endpoint=2"},
		{`profile sla --profile-config {"outputDir":"o","hardware":{"minNumGpusPerEngine":2},"sweep":{"aicHfId":"m"},` +
			`"deployment":{"modelCache":{"pvcName":"c","mountPath":"/m"}},"planner":{"plannerMinEndpoint":3}}`,
			"profile sla --model-cache-pvc-mount-path=/m --model-cache-pvc-name=c --min-num-gpus-per-engine=2 " +
				"--output-dir=o --planner-arg=--min-endpoint=3 --aic-hf-id=m"},
	} {
		got, err := Arguments(strings.Fields(c.in), os.Getenv)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v; want %s", c.in, got, err, c.want)
		}
	}
	if _, err := Arguments(strings.Fields("profile sla --profile-config"), os.Getenv); err == nil {
		t.Error("a --profile-config without a value was taken")
	}
}

// FuzzProfileConfig reads what anything may have written; what it takes is
// arguments of known options.
func FuzzProfileConfig(f *testing.F) {
	f.Add(`{'sla': {'isl': 3000, 'ttft': 200.0}, 'hardware': {'min_num_gpus_per_engine': None}}`)
	f.Add("sla:\n  itl: 20\nplanner:\n  x_y: [1, 2]\noutput_dir: out\n")
	f.Add(`{"engine": 5}`)
	f.Fuzz(func(t *testing.T, text string) {
		args, err := parseProfileConfig(text)
		if err != nil {
			return
		}
		for _, a := range args {
			name, _, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
			known := name == "planner-arg"
			for _, option := range profileKeys {
				known = known || option == name
			}
			if !known || !strings.HasPrefix(a, "--") {
				t.Errorf("%q gives %q", text, a)
			}
		}
		if again, _ := parseProfileConfig(text); !slices.Equal(again, args) {
			t.Errorf("%q gives %q and %q", text, args, again)
		}
	})
}
