package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSLAArguments(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"run --config x", "run --config x"},
		{"profile sla --config d.yaml --planner-a-b 5 --planner_c --isl 3", "profile sla --dgd-config d.yaml --planner-arg=--a-b=5 --planner-arg=--c --isl 3"},
		{"profile sla --config=d.yaml -- --config", "profile sla --dgd-config=d.yaml -- --config"},
		{`profile sla --profile_config {"sla":{"isl":7,"osl":8}} --isl=3`, "profile sla --osl=8 --isl=3"},
		{`profile sla --profile-config={'sweep':{'dry_run':True},'planner':{'planner_interval':9}}`, "profile sla --planner-arg=--interval=9 --dry-run=true"},
	} {
		got, err := slaArguments(strings.Fields(c.in))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v; want %s", c.in, got, err, c.want)
		}
	}
	if _, err := slaArguments(strings.Fields("profile sla --profile-config")); err == nil {
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
