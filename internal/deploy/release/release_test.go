package release

import (
	"slices"
	"strings"
	"testing"
)

// Every span names releases, and every release has all that is asked of it.
func TestTable(t *testing.T) {
	var spans []span
	for _, s := range table.Settings {
		spans = append(spans, s)
	}
	for _, module := range table.Flags {
		for _, f := range module {
			spans = append(spans, f.In)
		}
	}
	for _, module := range table.Phrases {
		for _, forms := range module {
			for _, f := range forms {
				spans = append(spans, f.In)
			}
		}
	}
	for _, n := range table.Needs["dynamo.vllm"] {
		spans = append(spans, n.In)
	}
	spans = append(spans, table.PlannerImage.In, table.MockerImage.In, table.ScalingAdapter)
	for _, s := range spans {
		if err := s.check(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range Known() {
		r, err := Find(name)
		if err != nil || r.String() != name {
			t.Errorf("%s is %s, %v", name, r, err)
		}
		if r.Planner().Module == "" || len(r.Settings()) == 0 {
			t.Errorf("%s has no planner", name)
		}
	}
	if Default().String() != table.Default {
		t.Errorf("the zero release is %s", Default())
	}
}

func TestFind(t *testing.T) {
	for text, want := range map[string]string{"1.6": "1.6", "1.6.1": "1.6", "v1.4.2": "1.4", "1.5.0rc1": "1.5",
		"0.9.1-cuda13": "0.9", "1.7-dev": "1.7"} {
		if r, err := Find(text); err != nil || r.String() != want {
			t.Errorf("%s is %s, %v; want %s", text, r, err, want)
		}
	}
	for _, text := range []string{"", "1", "latest", "1.x", "0.8.1", "2.0", "my-tag"} {
		if _, err := Find(text); err == nil || !strings.Contains(err.Error(), "0.9, 1.0") {
			t.Errorf("%q gives %v", text, err)
		}
	}
}

func TestOf(t *testing.T) {
	for image, want := range map[string]string{
		"nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1":         "1.6.1",
		"localhost:5000/sglang-runtime:0.9.1@sha256:ab":       "0.9.1",
		"nvcr.io/nvidia/ai-dynamo/vllm-runtime:my-tag":        "",
		"nvcr.io/nvidia/ai-dynamo/vllm-runtime":               "",
		"registry.example/our-engine:2.3":                     "",
		"nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:v0.7.0": "v0.7.0",
	} {
		if got := Of(image); got != want {
			t.Errorf("%s is of %q; want %q", image, got, want)
		}
	}
}

// What a release calls a setting, and what it has no name for.
func TestSetting(t *testing.T) {
	for _, c := range []struct{ release, name, want string }{
		{"0.9", "ttft_ms", "ttft"}, {"1.1", "ttft_ms", "ttft"}, {"1.2", "ttft", "ttft_ms"},
		{"0.9", "throughput_adjustment_interval_seconds", "adjustment_interval"},
		{"1.0", "adjustment_interval", "throughput_adjustment_interval"},
		{"1.6", "no_operation", "advisory"}, {"0.9", "optimization_target", ""}, {"1.0", "optimization_target", ""},
		{"1.1", "optimization_target", "optimization_target"}, {"1.6", "no_correction", ""}, {"1.6", "no_such", ""},
	} {
		r, err := Find(c.release)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := r.Setting(c.name); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: %s is %q, %v; want %q", c.release, c.name, got, ok, c.want)
		}
	}
	if all := Default().Settings(); slices.Contains(all, "ttft") || !slices.Contains(all, "ttft_ms") {
		t.Errorf("1.6 has the settings %v", all)
	}
}

func TestImages(t *testing.T) {
	old, err := Find("1.0")
	if err != nil {
		t.Fatal(err)
	}
	const runtime = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1"
	for _, c := range []struct{ got, want string }{
		{Default().PlannerImage(runtime), "nvcr.io/nvidia/ai-dynamo/dynamo-planner:1.6.1"},
		{Default().PlannerImage("localhost:5000/x@sha256:ab"), "localhost:5000/dynamo-planner"},
		{Default().PlannerImage(""), ""}, {old.PlannerImage(runtime), runtime}, {old.MockerImage(runtime), runtime},
	} {
		if c.got != c.want {
			t.Errorf("the image is %q; want %q", c.got, c.want)
		}
	}
}

func TestLacks(t *testing.T) {
	for _, c := range []struct {
		release, module, flag, instead string
		lacks                          bool
	}{
		{"1.6", "dynamo.frontend", "--router-ttl", "--router-ttl-secs", true},
		{"1.6", "dynamo.frontend", "--no-router-reset-states", "", true},
		{"1.6", "dynamo.frontend", "--router-mode", "", false},
		{"1.0", "dynamo.frontend", "--enforce-disagg", "", true},
		{"1.1", "dynamo.frontend", "--enforce-disagg", "", false},
		{"1.3", "dynamo.vllm", "--is-prefill-worker", "", false},
		{"1.4", "dynamo.vllm", "--is-prefill-worker", "", true},
	} {
		r, err := Find(c.release)
		if err != nil {
			t.Fatal(err)
		}
		if instead, lacks := r.Lacks(c.module, c.flag); lacks != c.lacks || instead != c.instead {
			t.Errorf("%s %s %s: %q, %v", c.release, c.module, c.flag, instead, lacks)
		}
	}
}
