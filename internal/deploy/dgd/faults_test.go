package dgd

import (
	"errors"
	"strings"
	"testing"

	"headway/internal/model"
)

const head = "apiVersion: nvidia.com/v1alpha1\nkind: DynamoGraphDeployment\nmetadata: {name: x}\nspec:\n  services:\n"

func wants(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the error does not say %q:\n%v", p, err)
		}
	}
}

func TestReadFaults(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		parts []string
	}{
		"nothing":     {"", []string{"0 objects", "found: nothing"}},
		"other kind":  {"kind: ConfigMap\n---\nkind: Secret\n", []string{"found: ConfigMap, Secret"}},
		"two":         {head + "    a: {}\n---\n" + head + "    a: {}\n", []string{"2 objects"}},
		"list":        {"- a\n", []string{"document 1", "not an object"}},
		"no YAML":     {"a: 1\n---\na: [\n", []string{"document 2", "not YAML"}},
		"double key":  {"a: 1\na: 2\n", []string{"document 1", "already set"}},
		"not text":    {"\xff", []string{"not UTF-8"}},
		"no services": {"apiVersion: nvidia.com/v1alpha1\nkind: DynamoGraphDeployment\n", []string{"spec.services"}},
		"bad service": {head + "    a: 1\n", []string{"spec.services.a is not a mapping"}},
		"other version": {"apiVersion: nvidia.com/v2\nkind: DynamoGraphDeployment\n",
			[]string{"nvidia.com/v2 is not known"}},
		"no components": {"apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nspec: {services: {}}\n",
			[]string{"spec.components"}},
		"no name": {"apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nspec: {components: [{type: " +
			"frontend}]}\n", []string{"spec.components[0] has no name"}},
		"same name": {"apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nspec: {components: [{name: " +
			"a}, {name: a}]}\n", []string{`two components have the name "a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read([]byte(c.text))
			wants(t, err, c.parts...)
		})
	}
}

func mustRead(t *testing.T, text string) *Document {
	t.Helper()
	d, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// All faults of a deployment come at once.
func TestCheck(t *testing.T) {
	d := mustRead(t, head+`    Frontend: {componentType: frontend}
    Router: {componentType: frontend}
    VllmDecodeWorker: {componentType: worker, extraPodSpec: {mainContainer: {command: [python3, -m, dynamo.vllm],
      args: [--disaggregation-mode, decode]}}}
`)
	err := d.Check(SGLang)
	wants(t, err, "2 services are the frontend", "no service is the prefill", "subComponentType: prefill",
		"prefill or SglangPrefillWorker", "no service is the decode")
	wants(t, d.Check(VLLM), "no service is the prefill", "prefill or VllmPrefillWorker")
	wants(t, d.Check("vlm"), `backend "vlm" is not known: sglang, vllm, trtllm are`)

	d = mustRead(t, strings.Replace(head, "spec:", "spec:\n  backendFramework: vllm", 1)+`    Frontend: {componentType: frontend}
    decode: {componentType: worker, extraPodSpec: {mainContainer: {command: [python3, -m, dynamo.vllm]}}}
    prefill: {componentType: worker}
    a: {subComponentType: prefill, extraPodSpec: {mainContainer: {command: [sh, -c], args: ["python3 -m 'dynamo.sglang"]}}}
`)
	wants(t, d.Check(SGLang), "spec.backendFramework is vllm", "dynamo.vllm, which is not backend sglang",
		"is not closed")
	for command, part := range map[string]string{
		"{}":                    "has no command",
		"{command: [python3]}":  "does not run a module of Dynamo",
		"{args: {a: 1}}":        "is not a list",
		"{args: [[a]]}":         "args[0] is not text",
		"{args: [dynamo.vllm]}": "dynamo.vllm, which is not backend trtllm",
		"{command: [bash, -c, 'python3 -m dynamo.trtllm & python3 -m dynamo.trtllm']}":   "more than one module",
		"{command: [sh, -c, \"cat <<X | python3 -m dynamo.trtllm\"]}":                    "here-document",
		"{command: [sh, -c, \"python3 -m dynamo.trtllm --model-path $(cat model.txt\"]}": "not closed",
	} {
		d := mustRead(t, head+"    Frontend: {componentType: frontend}\n    prefill: {extraPodSpec: {mainContainer: "+
			command+"}}\n    decode: {extraPodSpec: {mainContainer: "+command+"}}\n")
		wants(t, d.Check(TRTLLM), part, "cannot be profiled with backend trtllm")
	}
}

func TestCandidateFaults(t *testing.T) {
	d, _ := input(t, "sglang-v1alpha1")
	tp4 := model.Mapping{Kind: model.TP, Size: 4}
	for name, c := range map[string]struct {
		phase   string
		mapping model.Mapping
		perNode int
		part    string
	}{
		"phase": {"both", tp4, 8, `phase "both" is not known`},
		"kind":  {PhaseDecode, model.Mapping{Kind: "EP", Size: 4}, 8, "is not TP, TEP or DEP"},
		"size":  {PhaseDecode, model.Mapping{Kind: model.TP}, 8, "at least 1 GPU"},
		"node":  {PhaseDecode, tp4, 0, "GPUs per node is 0"},
		"division": {PhaseDecode, model.Mapping{Kind: model.TP, Size: 11}, 8,
			"11 GPUs, which do not divide over 2 nodes of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Candidate(SGLang, c.phase, c.mapping, c.perNode)
			wants(t, err, c.part)
		})
	}
	d, _ = input(t, "trtllm-v1alpha1")
	text := strings.Replace(string(d.YAML()), `'{"max_seq_len": 12345678901234567890}'`, `'{"max_seq_len"'`, 1)
	_, err := mustRead(t, text).Candidate(TRTLLM, PhasePrefill, tp4, 8)
	wants(t, err, "--override-engine-args", "no JSON object")
}

func TestFinalFaults(t *testing.T) {
	d, _ := input(t, "sglang-v1alpha1")
	for name, c := range map[string]struct {
		change func(*Selection)
		part   string
	}{
		"half":    {func(s *Selection) { s.DecodeData = nil }, "only one of prefill and decode"},
		"no JSON": {func(s *Selection) { s.DecodeData = []byte("x") }, "the decode profile: it is no JSON"},
		"missing": {func(s *Selection) { s.PrefillData = []byte(`{"prefill_isl": [1]}`) },
			"prefill_ttft is not a list of numbers"},
		"ragged": {func(s *Selection) {
			s.PrefillData = []byte(`{"prefill_isl": [1], "prefill_ttft": [1, 2], "prefill_thpt_per_gpu": [1]}`)
		}, "prefill_ttft has 2 values and prefill_isl has 1"},
		"large": {func(s *Selection) {
			s.PrefillData = []byte(`{"prefill_isl": [1], "prefill_ttft": [1], "prefill_thpt_per_gpu": [1], "x": "` +
				strings.Repeat("x", 1<<20) + `"}`)
		}, "a ConfigMap holds 1048576"},
		"mapping": {func(s *Selection) { s.Decode.Size = 0 }, "at least 1 GPU"},
	} {
		t.Run(name, func(t *testing.T) {
			s := selection()
			c.change(&s)
			_, err := d.Final(SGLang, s)
			wants(t, err, c.part)
		})
	}
}

// Without data there is no ConfigMap and nothing is mounted.
func TestFinalWithoutData(t *testing.T) {
	d, _ := input(t, "vllm-v1beta1")
	s := selection()
	s.PrefillData, s.DecodeData = nil, nil
	final, err := d.Final(VLLM, s)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(final.Others()); n != 0 {
		t.Errorf("%d objects beside the deployment", n)
	}
	if text := string(final.YAML()); strings.Contains(text, "profiling_results") ||
		!strings.Contains(text, `"enable_load_scaling": true, "pre_deployment_sweeping_mode": "none"`) ||
		!strings.Contains(text, `"prefill_engine_num_gpu": 4`) {
		t.Errorf("not a planner without data:\n%s", text)
	}
}

func TestNames(t *testing.T) {
	d, _ := input(t, "vllm-shell") // its longest service: VllmPrefillWorker, 17
	for name, part := range map[string]string{
		"":                      "lower-case letters",
		"Big":                   "lower-case letters",
		"a-":                    "lower-case letters",
		strings.Repeat("a", 29): "46 characters, and 45 are allowed",
	} {
		_, err := d.Rename(name)
		wants(t, err, part)
	}
	long, err := d.Rename(strings.Repeat("a", 28))
	if err != nil {
		t.Fatal(err)
	}
	short, err := long.Suffixed("09af")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("a", 23) + "-09af"; short.Name() != want {
		t.Errorf("the name is %q, want %q", short.Name(), want)
	}
	d = mustRead(t, head+"    "+strings.Repeat("s", 41)+": {componentType: frontend}\n")
	_, err = d.Suffixed("09af")
	wants(t, err, "leaves no room")
}

func TestKVTokens(t *testing.T) {
	for name, c := range map[string]struct {
		backend, log string
		ranks, want  int
	}{
		"vllm": {VLLM, "x\nINFO kv_cache_utils.py: Maximum concurrency for 40,960 tokens per request: 12.57x\n", 1,
			514867},
		"ranks": {VLLM,
			"Maximum concurrency for 1,000 tokens per request: 2.00x\nMaximum concurrency for 1,000 tokens per " +
				"request: 1.50x", 8, 12000},
		"sglang": {SGLang, "[2026-11-01 TP0] KV Cache is allocated. #tokens: 1234567, K size: 9.42 GB\n", 1, 1234567},
		"dtype":  {SGLang, "KV Cache is allocated. dtype: torch.bfloat16, #tokens: 500, K size\r\n", 4, 2000},
		"trtllm": {TRTLLM,
			"Allocated 0.51 GiB for max tokens in paged KV cache (8192).\nAllocated 60.1 GiB for max tokens in " +
				"paged KV cache (983040).\n", 1, 983040},
		"long": {SGLang, strings.Repeat("x", 3<<20) + "\nKV Cache is allocated. #tokens: 7\n", 1, 7},
		"sliding windows": {SGLang,
			"[2026-11-01 00:00:00 TP0] Use sliding window memory pool. full_layer_tokens=1000, swa_layer_tokens=800\n" +
				"[2026-11-01 00:00:00 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 800, K size: 1.00 " +
				"GB, V size: 1.00 GB\n" +
				"[2026-11-01 00:00:00 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 1000, K size: 1.00 " +
				"GB, V size: 1.00 GB\n" +
				"[2026-11-01 00:00:09 TP0] max_total_num_tokens=1000, chunked_prefill_size=8192, context_len=32768\n",
			1,
			1000},
		"windows, no total": {SGLang,
			"Use sliding window memory pool. full_layer_tokens=1000, swa_layer_tokens=1200\n" +
				"KV Cache is allocated. #tokens: 1200\nKV Cache is allocated. #tokens: 1000\n", 1, 1000},
		"windows only": {SGLang, "Use sliding window memory pool (all SWA). swa_layer_tokens=700\n" +
			"KV Cache is allocated. #tokens: 700\nmax_total_num_tokens=700, max_prefill_tokens=16384\n", 1, 700},
		"total of the first rank": {SGLang,
			"[2026-11-01 TP0] KV Cache is allocated. #tokens: 800\n[2026-11-01 TP0] KV Cache is allocated. " +
				"#tokens: 1000\n" +
				"[2026-11-01 TP1] KV Cache is allocated. #tokens: 800\n[2026-11-01 TP1] KV Cache is allocated. " +
				"#tokens: 1000\n" +
				"[2026-11-01 TP0] max_total_num_tokens=1000\n", 1, 1000},
		"ranks that differ": {SGLang, "[2026-11-01 DP0 TP0] KV Cache is allocated. #tokens: 1000\n" +
			"[2026-11-01 DP1 TP0] KV Cache is allocated. #tokens: 990\n", 2, 1980},
		"started again": {SGLang,
			"server_args=ServerArgs(max_total_tokens=None)\nKV Cache is allocated. #tokens: " +
				"1000\nmax_total_num_tokens=1000\n" +
				"server_args=ServerArgs(max_total_tokens=None)\nKV Cache is allocated. #tokens: " +
				"1200\nmax_total_num_tokens=1200\n", 1, 1200},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := KVTokens(c.backend, strings.NewReader(c.log), c.ranks)
			if err != nil || got != c.want {
				t.Errorf("got %d, %v; want %d", got, err, c.want)
			}
		})
	}
	for _, backend := range Backends() {
		_, err := KVTokens(backend, strings.NewReader("Allocated\nKV Cache\nMaximum concurrency\n"), 1)
		var none *NoKVLineError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), none.Pattern) || none.Backend != backend {
			t.Errorf("%s: %v", backend, err)
		}
	}
	_, err := KVTokens(SGLang, strings.NewReader("KV Cache is allocated. #tokens: 0\n"), 1)
	wants(t, err, "gives 0 tokens")
	_, err = KVTokens(SGLang, strings.NewReader("KV Cache is allocated. #tokens: "+strings.Repeat("9", 400)+"\n"), 1)
	wants(t, err, "the line")
	for log, both := range map[string][2]string{
		"KV Cache is allocated. #tokens: 800\nKV Cache is allocated. #tokens: 1000\n": {"#tokens: 800",
			"#tokens: 1000"},
		"KV Cache is allocated. #tokens: 800\nmax_total_num_tokens=1000, x\n": {"#tokens: 800",
			"max_total_num_tokens=1000"},
		"full_layer_tokens=900, swa_layer_tokens=800\nmax_total_num_tokens=1000\n": {"full_layer_tokens=900",
			"max_total_num_tokens=1000"},
		"[2026-11-01 TP0] max_total_num_tokens=1000\n[2026-11-01 TP0] max_total_num_tokens=1100\n": {"TP0 " +
			"max_total_num_tokens=1000", "TP0 max_total_num_tokens=1100"},
		"[2026-11-01 TP0] max_total_num_tokens=1000\n[2026-11-01 TP1] KV Cache is allocated. #tokens: 7": {"TP1 KV " +
			"Cache is allocated. #tokens: 7", "TP0 max_total_num_tokens=1000"},
	} {
		_, err := KVTokens(SGLang, strings.NewReader(log), 1)
		wants(t, err, "disagree")
		wants(t, err, both[0])
		wants(t, err, both[1])
	}
	_, err = KVTokens(SGLang, strings.NewReader(""), 0)
	wants(t, err, "at least 1")
	_, err = KVTokens("x", strings.NewReader(""), 1)
	wants(t, err, "not known")
}
