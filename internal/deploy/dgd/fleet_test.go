package dgd

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"headway/internal/model"
)

// aggregated are the inputs with one worker for both halves of a request.
var aggregated = map[string]string{
	"vllm-agg-v1beta1": VLLM, "sglang-agg-main": SGLang, "trtllm-agg-v1beta1": TRTLLM,
}

// fleets are what searches find: two pools, two of which one goes over nodes, and
// workers that do both halves.
func fleets() []Fleet {
	measured := Limits{Sequences: 2048, Tokens: 8192, Context: 16384}
	prefill := Limits{Sequences: 1, Tokens: PrefillTokens}
	return []Fleet{
		{Prefill: &Pool{model.Mapping{Kind: model.TP, Size: 4}, 5, prefill},
			Decode: &Pool{model.Mapping{Kind: model.TP, Size: 8}, 2, measured}, GPUsPerNode: 8},
		{Prefill: &Pool{model.Mapping{Kind: model.DEP, Size: 4}, 1, Limits{AsCandidate: true}},
			Decode: &Pool{model.Mapping{Kind: model.DEP, Size: 16}, 1, Limits{AsCandidate: true}}, GPUsPerNode: 8},
		{Aggregated: &Pool{model.Mapping{Kind: model.TP, Size: 2}, 3, measured}, GPUsPerNode: 8},
	}
}

// Every form of input becomes every form of result; a file that was written is
// written the same again.
func TestFleetGolden(t *testing.T) {
	all := maps.Clone(inputs)
	maps.Copy(all, aggregated)
	for name, backend := range all {
		t.Run(name, func(t *testing.T) {
			d, before := input(t, name)
			var out bytes.Buffer
			for i, f := range fleets() {
				got, err := d.Fleet(backend, f)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "==== %d\n", i)
				out.Write(diff.Diff("before", before, "after", got.YAML()))
				again, err := got.Fleet(backend, f)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.YAML(), again.YAML()) {
					t.Errorf("written again it is another:\n%s", diff.Diff("once", got.YAML(), "twice", again.YAML()))
				}
				if got.Aggregated(backend) != (f.Aggregated != nil) {
					t.Errorf("%d: aggregated is %v", i, got.Aggregated(backend))
				}
			}
			golden(t, name+"-fleet.diff", out.Bytes())
		})
	}
}

// One worker is a candidate in every phase, and becomes two for the planner.
func TestAggregatedGolden(t *testing.T) {
	for name, backend := range aggregated {
		t.Run(name, func(t *testing.T) {
			d, before := input(t, name)
			if !d.Aggregated(backend) {
				t.Error("it is not aggregated")
			}
			var out bytes.Buffer
			for _, phase := range []string{PhasePrefill, PhaseDecode, PhaseAggregated} {
				c, err := d.Candidate(backend, phase, model.Mapping{Kind: model.TP, Size: 4}, 8)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "==== %s\n", phase)
				out.Write(diff.Diff("before", before, "after", c.YAML()))
			}
			both, err := d.Disaggregated(backend, selection())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "==== disaggregated\n")
			out.Write(diff.Diff("before", before, "after", both.YAML()))
			golden(t, name+".diff", out.Bytes())
		})
	}
}

func TestFleetFaults(t *testing.T) {
	d, _ := input(t, "vllm-v1beta1")
	p := &Pool{Mapping: model.Mapping{Kind: model.TP, Size: 4}, Workers: 1}
	for name, c := range map[string]struct {
		fleet Fleet
		part  string
	}{
		"half":  {Fleet{Prefill: p}, "a prefill and a decode pool, or an aggregated one"},
		"none":  {Fleet{}, "a prefill and a decode pool, or an aggregated one"},
		"all":   {Fleet{Prefill: p, Decode: p, Aggregated: p}, "a prefill and a decode pool, or an aggregated one"},
		"zero":  {Fleet{Aggregated: &Pool{Mapping: p.Mapping}}, "0 workers with TP=4"},
		"kind":  {Fleet{Aggregated: &Pool{Workers: 1}}, "is not TP, TEP or DEP"},
		"nodes": {Fleet{Aggregated: p}, "GPUs per node is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Fleet(VLLM, c.fleet)
			wants(t, err, c.part)
		})
	}
}

// A frontend of early releases is found by its type or its name, and what is
// written names its type as it is called today.
func TestMainIsAFrontend(t *testing.T) {
	for name, backend := range map[string]string{"sglang-agg-main": SGLang, "trtllm-agg-v1beta1": TRTLLM} {
		d, _ := input(t, name)
		f, err := d.Facts(backend)
		if err != nil || f.Frontend != "Main" || f.Service != d.Name()+"-main" || f.Decode == "" || f.Prefill != "" {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	d := mustRead(t, head+`    A: {componentType: main}
    w: {extraPodSpec: {mainContainer: {command: [python3, -m, dynamo.vllm], args: [--model, m]}}}
`)
	if f, err := d.Facts(VLLM); err != nil || f.Frontend != "A" || f.Decode != "w" {
		t.Errorf("%+v, %v", f, err)
	}
}

// A worker with too few GPUs for the model gets the mapping that holds it; others
// stay as they are.
func TestHolding(t *testing.T) {
	tp1 := model.Mapping{Kind: model.TP, Size: 1}
	tp2 := model.Mapping{Kind: model.TP, Size: 2}
	tp16 := model.Mapping{Kind: model.TP, Size: 16}
	for name, backend := range map[string]string{"vllm-agg-v1beta1": VLLM, "trtllm-v1alpha1": TRTLLM} {
		d, before := input(t, name)
		same, err := d.Holding(backend, tp1, tp1, 8)
		if err != nil || !bytes.Equal(same.YAML(), before) {
			t.Errorf("%s: %v\n%s", name, err, same.YAML())
		}
		for _, m := range []model.Mapping{tp2, tp16} {
			held, err := d.Holding(backend, tp2, m, 8)
			if err != nil {
				t.Fatal(err)
			}
			again, err := held.Holding(backend, tp2, m, 8)
			if err != nil || bytes.Equal(held.YAML(), before) || !bytes.Equal(again.YAML(), held.YAML()) {
				t.Errorf("%s with %s: %v\n%s", name, m, err, held.YAML())
			}
		}
	}
	d, before := input(t, "sglang-v1alpha1") // whose prefill worker has 16 GPUs on two nodes
	held, err := d.Holding(SGLang, tp16, tp1, 8)
	if err != nil || !bytes.Equal(held.YAML(), before) {
		t.Errorf("%v: %s", err, diff.Diff("before", before, "after", held.YAML()))
	}
}
