package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

func grammar(t *testing.T) *kong.Node {
	t.Helper()
	var done bool
	parser, err := app{notes: &notes{w: &bytes.Buffer{}}}.parser(&cli{}, &done)
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
		{"run --workers-max=4 --no-gpu-telemetry", "run", "--workers-max --no-gpu-telemetry", ""},
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
		kept, dropped, err := normalise(root, strings.Fields(c.in))
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
		if got := injected(c.name, c.value); got != c.want {
			t.Errorf("%s=%s: injected %v, want %v", c.name, c.value, got, c.want)
		}
	}
}

func TestDefaultNames(t *testing.T) {
	b := benchCmd{URLs: []string{"a", "b", "c"}}
	b.defaults(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	want := []string{"run-20260102-030405", "run-20260102-030405-2", "run-20260102-030405-3"}
	if !slices.Equal(b.Names, want) {
		t.Errorf("names %q, want %q", b.Names, want)
	}
	for name, stream := range map[string]string{want[0]: "run", want[2]: "run-3", "mine-20260102-030405": "mine-20260102-030405", "run": "run"} {
		if got := streamName(name); got != stream {
			t.Errorf("stream of %q: %q, want %q", name, got, stream)
		}
	}
}

func TestHeaderPrints(t *testing.T) {
	a := headerPrints([]string{"X-Route: a", "Authorization: Bearer one"})
	b := headerPrints([]string{"x-route:a", "authorization: Bearer two"})
	c := headerPrints([]string{"X-Route: b"})
	if a["x-route"] != b["x-route"] || a["authorization"] != b["authorization"] || a["x-route"] == c["x-route"] {
		t.Errorf("prints %v, %v, %v", a, b, c)
	}
	if text, err := json.Marshal(a); err != nil || bytes.Contains(text, []byte("one")) {
		t.Errorf("%s: %v", text, err)
	}
}

func TestSeedFitsJSON(t *testing.T) {
	for range 1000 {
		if s := seedOf(nil); uint64(float64(s)) != s {
			t.Fatalf("seed %d does not survive a float", s)
		}
	}
}
