package dgd

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/internal/deploy/release"
	"headway/internal/model"
)

func releaseOf(t *testing.T, version string) release.Release {
	t.Helper()
	r, err := release.Find(version)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What every release is told, by the files of every backend. That Dynamo takes it is
// what `make test-dynamo-args` proves.
func TestReleasesGolden(t *testing.T) {
	for _, version := range release.Known() {
		t.Run(version, func(t *testing.T) {
			var out bytes.Buffer
			for _, backend := range Backends() {
				writtenFor(t, &out, releaseOf(t, version), backend)
			}
			golden(t, "release-"+version+".txt", out.Bytes())
		})
	}
}

type named struct {
	name string
	*Document
}

// writtenFor shows what the files of a backend start in a release.
func writtenFor(t *testing.T, out *bytes.Buffer, r release.Release, backend string) {
	t.Helper()
	d, err := Default(backend)
	if err == nil {
		d, err = d.WithImage("nvcr.io/nvidia/ai-dynamo/" + backend + "-runtime:" + r.String() + ".0")
	}
	if err == nil {
		d, _, err = d.WrittenFor(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := selection()
	s.Release, s.Decode = r, model.Mapping{Kind: model.TP, Size: 8}
	s.PlannerArgs = []string{"--throughput_adjustment_interval=30"}
	final, err := d.Final(backend, s)
	if err != nil {
		t.Fatal(err)
	}
	mocker, err := d.Mocker(backend, s)
	if err != nil {
		t.Fatal(err)
	}
	files := []named{{"config_with_planner.yaml", final}, {"mocker_config_with_planner.yaml", mocker}}
	if backend != VLLM { // mock engines are those of any backend
		files = files[:1]
	}
	for _, f := range files {
		services, err := f.view()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(out, "==== %s %s\n", backend, f.name)
		for _, s := range services {
			object := f.Object()
			image, _ := lookup(object, s.main.plus("image"))
			adapter, _ := lookup(object, s.at.plus("scalingAdapter"))
			c, err := readCommandLine(object, s.main)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(out, "%s: %v, scaled %v\n  %s\n", s.name, image, adapter, strings.Join(values(c.list), " "))
		}
	}
}

const ofOldWords = head + `    Frontend: {componentType: frontend, extraPodSpec: {mainContainer: {
        command: [python3, -m, dynamo.frontend], args: [--router-ttl=3, --store-kv, file, --no-router-reset-states]}}}
    prefill:
      subComponentType: prefill
      extraPodSpec:
        mainContainer:
          image: registry.example/vllm-runtime:1.2.0
          command: [/bin/sh, -c]
          args: ["python3 -m dynamo.vllm --model m --is-prefill-worker > log"]   # as it was
    decode:
      subComponentType: decode
      extraPodSpec:
        mainContainer:
          image: registry.example/vllm-runtime:my-tag
          args: [python3, -m, dynamo.vllm, --model=m, --is-decode-worker, --connector, nixl]
`

// Old words become those of the release, in their place; what has none is told.
func TestWrittenFor(t *testing.T) {
	d := mustRead(t, ofOldWords)
	next, notes, err := d.WrittenFor(releaseOf(t, "1.6"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, fmt.Errorf("%s", next.YAML()),
		`args: ["python3 -m dynamo.vllm --model m --disaggregation-mode prefill --kv-transfer-config '{`+
			`\"kv_connector\":\"NixlConnector\",\"kv_role\":\"kv_both\"}' > log"]   # as it was`,
		`--disaggregation-mode, decode, --kv-transfer-config, '{"kv_connector":"NixlConnector","kv_role":"kv_both"}']`,
		"--router-ttl-secs=3, --discovery-backend, file, --no-router-reset-states]")
	wants(t, fmt.Errorf("%s", strings.Join(notes, "\n")),
		"service Frontend: dynamo.frontend of release 1.6 does not take --no-router-reset-states, and will not start",
		"service Frontend: --router-ttl is --router-ttl-secs in release 1.6",
		"service prefill: --is-prefill-worker is --disaggregation-mode prefill in release 1.6",
		"service prefill: release 1.6 asks for --kv-transfer-config",
		"service decode: --connector nixl is --kv-transfer-config {")
	again, notes, err := next.WrittenFor(releaseOf(t, "1.6"))
	if err != nil || !bytes.Equal(again.YAML(), next.YAML()) || len(notes) != 1 {
		t.Errorf("a second time: %v, %q", err, notes)
	}
	same, _, err := d.WrittenFor(releaseOf(t, "0.9"))
	if err != nil || !bytes.Equal(same.YAML(), d.YAML()) {
		t.Errorf("its own release changes it: %v\n%s", err, same.YAML())
	}
	back, _, err := next.WrittenFor(releaseOf(t, "0.9"))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, fmt.Errorf("%s", back.YAML()), "--is-prefill-worker --connector nixl > log",
		"--is-decode-worker, --connector, 'nixl']")
	if v := d.Versions(); !cmp.Equal(v, map[string]string{"prefill": "1.2.0"}) {
		t.Errorf("the images say %v", v)
	}
}

const planned = head + `    Frontend: {componentType: frontend}
    prefill: {subComponentType: prefill, extraPodSpec: {mainContainer: {args: [python3, -m, dynamo.vllm, --model, m]}}}
    decode: {subComponentType: decode, extraPodSpec: {mainContainer: {args: [python3, -m, dynamo.vllm, --model, m]}}}
    Planner:
      componentType: planner
      extraPodSpec:
        mainContainer:
          command: [python3, -m, %s]
          args: %s
`

// A planner that is there keeps its settings, whatever it was told them by.
func TestPlannerOfAnotherRelease(t *testing.T) {
	const mapped = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: planner-config-1a2b}\ndata:\n" +
		"  planner_config.json: '{\"min_endpoint\": 2, \"advisory\": true}'\n"
	for _, c := range []struct {
		to, module, args, more, want string
		notes                        []string
	}{
		{"1.6", "dynamo.planner.planner_sla", `[--adjustment-interval=60, --no-correction, --log-dir, /x]`, "",
			`'{"throughput_adjustment_interval_seconds": 60, "log_dir": "/x", "environment"`,
			[]string{"has no setting no_correction; it is left out", "is dynamo.planner in release 1.6"}},
		{"1.6", "dynamo.planner", `[--config, /workspace/planner_config/planner_config.json]`, mapped,
			`args: [--config, '{"min_endpoint": 2, "advisory": true, "environment"`, nil},
		{"0.9", "dynamo.planner", `[--config, '{"min_endpoint": 2, "advisory": true, "load_predictor": "arima"}']`, "",
			"--min-endpoint=2, --no-operation, --load-predictor=arima, --environment=kubernetes, --backend=vllm, " +
				"--profile-results-dir=/workspace/profiling_results, --ttft=300, --itl=22.5, " +
				"--prefill-engine-num-gpu=4, --decode-engine-num-gpu=8, --max-gpu-budget=40, --model-name=m",
			[]string{"dynamo.planner is dynamo.planner.planner_sla in release 0.9"}},
	} {
		d, notes, err := mustRead(t, fmt.Sprintf(planned, c.module, c.args)+c.more).WrittenFor(releaseOf(t, c.to))
		if err != nil {
			t.Fatal(err)
		}
		wants(t, fmt.Errorf("%s", strings.Join(notes, "\n")), c.notes...)
		s := selection()
		s.Release, s.PlannerArgs, s.Decode = releaseOf(t, c.to), nil, model.Mapping{Kind: model.TP, Size: 8}
		final, err := d.Final(VLLM, s)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, fmt.Errorf("%s", final.YAML()), c.want)
	}
	for args, part := range map[string]string{
		`[--config, /elsewhere.json]`: "is in no ConfigMap of this file", `[--config, '{"a"']`: "it is no JSON object",
	} {
		_, _, err := mustRead(t, fmt.Sprintf(planned, "dynamo.planner", args)).WrittenFor(release.Default())
		wants(t, err, part)
	}
}

func TestPlannerFaults(t *testing.T) {
	r := release.Default()
	if err := PlannerFaults(r, []string{"--adjustment-interval=60", "--no-operation", "--ttft", "3"}); err != nil {
		t.Error(err)
	}
	wants(t, PlannerFaults(r, []string{"--ajustment-interval=60"}), "of release 1.6 has no setting ajustment_interval",
		"advisory, ")
	wants(t, PlannerFaults(r, []string{"60"}), `"60" is no setting of a planner`)
	if all := r.Settings(); !slices.Contains(all, "optimization_target") {
		t.Errorf("the settings are %v", all)
	}
}
