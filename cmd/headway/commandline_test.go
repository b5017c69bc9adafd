package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"headway/internal/cli"
	"headway/internal/options"
)

func grammar(t *testing.T) *kong.Node {
	t.Helper()
	var done bool
	parser, err := cli.App{Notes: &cli.Notes{W: &bytes.Buffer{}}, Grammar: commands()}.Parser(&done)
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

func TestNormalise(t *testing.T) {
	root := grammar(t)
	for _, c := range []struct{ in, kept, dropped, fault string }{
		{"run --request_count 3", "run --request-count 3", "", ""},
		{"run --isl -5", "run --isl=-5", "", ""},
		{"bench -i -5", "bench -i-5", "", ""},
		{"run --workers-max 4 --isl=3", "run --isl=3", "--workers-max", ""},
		{"run --workers-max=4 --no-export-outputs-json", "run", "--workers-max --no-export-outputs-json", ""},
		{"run --gpu-telemetry --isl 3", "run --gpu-telemetry=dashboard --isl 3", "", ""},
		{"run --gpu-telemetry", "run --gpu-telemetry=dashboard", "", ""},
		{"run --gpu-telemetry pynvml", "run --gpu-telemetry pynvml", "", ""},
		{"run --workers-max --streaming", "", "", "its value is missing"},
		{"run --isl 3 --workers-max", "", "", "its value is missing"},
		{"run --cache-bust none", "run", "", ""},
		{"run --cache-bust=first_turn_prefix", "", "", "not built"},
		{"run --model --stream", "run --model --stream", "", ""},
		{"run --streaming --stream metrics", "", "", "not built"},
		{"run -m --stream", "run -m --stream", "", ""},
		{"run -- --stream", "run -- --stream", "", ""},
		{"run --no-accuracy-enable-cot", "", "", "not built"},
		{"run --prompt-corpus coding", "", "", "not built"},
		{"run --model coding", "run --model coding", "", ""},
		{"run -vv", "run --verbose", "", ""},
	} {
		kept, dropped, err := cli.Normalise(root, strings.Fields(c.in))
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: fault %v, want %s", c.in, err, c.fault)
			}
			continue
		}
		if err != nil || strings.Join(kept, " ") != c.kept || strings.Join(dropped, " ") != c.dropped {
			t.Errorf("%s: kept %q, dropped %q, %v; want %q, %q", c.in, kept, dropped, err, c.kept, c.dropped)
		}
	}
}

func TestInjected(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"HEADWAY_PORT", "tcp://10.0.0.1:80", true},
		{"HEADWAY_PORT", "8000", false},
		{"HEADWAY_SERVICE_HOST", "10.0.0.1", true},
		{"HEADWAY_SIM_SERVICE_PORT_HTTP", "80", true},
		{"HEADWAY_PORT_80_TCP", "tcp://10.0.0.1:80", true},
		{"HEADWAY_PORT_80_TCP_PROTO", "tcp", true},
		{"HEADWAY_API_PORT", "80", false},
		{"HEADWAY_URL", "tcp://10.0.0.1:80", false},
	} {
		if got := cli.Injected(c.name, c.value); got != c.want {
			t.Errorf("%s=%s: injected %v, want %v", c.name, c.value, got, c.want)
		}
	}
}

// Every option that names a file or a folder of this machine expands ~.
func TestPathsExpand(t *testing.T) {
	elsewhere := []string{"custom-endpoint", "engine-health-path", "model-cache-pvc-path", "model-cache-pvc-mount-path",
		"profile-export-prefix", "reset-kv-cache-path", "server-profiler-start-path", "server-profiler-stop-path"}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, f := range n.Flags {
			place := regexp.MustCompile(`FILE|DIR|PATH`).MatchString(f.PlaceHolder) ||
				regexp.MustCompile(`(^|-)(dir|file|path)$`).MatchString(f.Name) || f.Name == "config" ||
				f.Name == "tokenizer"
			if place && f.Tag.Type != "path" && f.Tag.Type != "home" && !slices.Contains(elsewhere, f.Name) {
				t.Errorf("%s --%s: its type is %q, want path or home", n.FullPath(), f.Name, f.Tag.Type)
			}
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(grammar(t))
}

func TestSeedFitsJSON(t *testing.T) {
	for range 1000 {
		if s := options.SeedOr(nil); uint64(float64(s)) != s {
			t.Fatalf("seed %d does not survive a float", s)
		}
	}
}
