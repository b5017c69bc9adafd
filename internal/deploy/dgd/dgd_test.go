package dgd

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/diff"

	"headway/internal/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (-want +got); go test -update writes it anew:\n%s", file, d)
	}
}

func input(t *testing.T, name string) (*Document, []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "in", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return d, data
}

// Every backend, phase and mapping: what changes in the file, and nothing else.
func TestCandidateGolden(t *testing.T) {
	mappings := []model.Mapping{
		{Kind: model.TP, Size: 4}, {Kind: model.TEP, Size: 4}, {Kind: model.DEP, Size: 8},
		{Kind: model.TP, Size: 16}, {Kind: model.TEP, Size: 16}, {Kind: model.DEP, Size: 16},
		{Kind: model.TP, Size: 8, Pipeline: 2},
	}
	for name, backend := range inputs {
		t.Run(name, func(t *testing.T) {
			d, before := input(t, name)
			var out bytes.Buffer
			for _, phase := range []string{PhasePrefill, PhaseDecode, PhaseAggregated} {
				for _, m := range mappings {
					c, err := d.Candidate(backend, phase, m, 8)
					if err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(&out, "==== %s %s\n", phase, m)
					out.Write(diff.Diff("before", before, "after", c.YAML()))
				}
			}
			golden(t, name+".diff", out.Bytes())
			if !bytes.Equal(d.YAML(), before) {
				t.Error("making candidates changed the document")
			}
		})
	}
}

var inputs = map[string]string{
	"sglang-v1alpha1": SGLang, "sglang-v1beta1": SGLang,
	"vllm-shell": VLLM, "vllm-v1beta1": VLLM,
	"trtllm-v1alpha1": TRTLLM,
}

func selection() Selection {
	return Selection{
		Prefill: model.Mapping{Kind: model.TEP, Size: 4}, Decode: model.Mapping{Kind: model.DEP, Size: 16},
		GPUsPerNode: 8, TTFT: 300, ITL: 22.5, GPUs: 40,
		PrefillData: []byte(`{"prefill_isl": [100, 2071, 4042], "prefill_ttft": [20.5, 60, 110], ` +
			`"prefill_thpt_per_gpu": [1200, 8600, 9100]}`),
		DecodeData: []byte(`{"x_kv_usage": [0.1, 0.5], "y_context_length": [350, 350], "z_itl": [8.5, 19], ` +
			`"z_thpt_per_gpu": [300, 900], "max_kv_tokens": 200000}`),
		PlannerArgs: []string{"--adjustment-interval=30", "--no-operation"},
	}
}

func TestFinalGolden(t *testing.T) {
	for name, backend := range inputs {
		t.Run(name, func(t *testing.T) {
			d, before := input(t, name)
			final, err := d.Final(backend, selection())
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"-final.diff", diff.Diff("before", before, "after", final.YAML()))
			again, err := Read(final.YAML())
			if err != nil {
				t.Fatal(err)
			}
			if again, err = again.Final(backend, selection()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(final.YAML()), string(again.YAML())); d != "" {
				t.Errorf("a second run over the first changes the file:\n%s", d)
			}
			mocker, err := d.Mocker(backend, selection())
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"-mocker.yaml", mocker.YAML())
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for name := range inputs {
		d, before := input(t, name)
		if !bytes.Equal(d.YAML(), before) {
			t.Errorf("%s is not byte for byte what was read", name)
		}
		windows := []byte("\ufeff" + strings.ReplaceAll(string(before), "\n", "\r\n"))
		d, err := Read(windows)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(d.YAML(), windows) {
			t.Errorf("%s with CR LF and a byte order mark is not what was read", name)
		}
	}
}
