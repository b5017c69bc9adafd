package operator

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// parse reads one worker's graph.
func parse(t *testing.T, text string) component {
	t.Helper()
	g := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &g.Object); err != nil {
		t.Fatal(err)
	}
	all, err := components(g)
	if err != nil {
		t.Fatal(err)
	}
	return decoder(all)
}

func alphaGraph(backend, gpus, nodes, args string) string {
	return `spec: {services: {Frontend: {componentType: frontend}, decode: {componentType: worker, ` +
		`subComponentType: decode, multinode: {nodeCount: ` + nodes + `},
  resources: {limits: {gpu: "` + gpus + `"}}, extraPodSpec: {mainContainer: {image: x, command: [python3, -m, dynamo.` + backend + `], args: [` + args + `]}}}}}`
}

// What the operator plays follows from the worker's arguments, as each backend
// spells them.
func TestMapping(t *testing.T) {
	for _, test := range []struct {
		graph   string
		backend string
		kind    string
		size    int
		gpus    int
		kv      string
		phase   string
		limits  string
	}{
		{alphaGraph("sglang", "4", "1", `--tp, "4"`), "sglang", "--tp", 4, 4, "#tokens: 65536", "decode", ""},
		{alphaGraph("sglang", "4", "1", `--tp=4, --ep, "4", --disable-radix-cache, --max-running-requests, "1", `+
			`--chunked-prefill-size, "32768"`), "sglang", "--tep", 4, 4, "#tokens: 65536", "prefill",
			" --max-num-batched-tokens 32768 "},
		{alphaGraph("sglang", "8", "2", `--tp, "16", --dp, "16", --ep, "16", --enable-dp-attention`), "sglang", "--dep",
			16, 16, "#tokens: 16384", "decode", ""},
		{alphaGraph("vllm", "2", "1", `"--model x --tensor-parallel-size 2 2>&1 | tee log"`), "vllm", "--tp", 2, 2,
			"8,192 tokens per request: 4.00x", "decode", ""},
		{alphaGraph("vllm", "8", "1", `--tensor-parallel-size, "1", --data-parallel-size, "8", `+
			`--enable-expert-parallel, --no-enable-prefix-caching, --max-num-seqs, "8", `+
			`--max-num-batched-tokens, "32768"`), "vllm", "--dep", 8, 8, "2.00x", "prefill",
			" --max-num-batched-tokens 262144 "},
		{alphaGraph("vllm", "8", "1", `--tensor-parallel-size, "8", --data-parallel-size, "1", `+
			`--enable-expert-parallel`), "vllm", "--tep", 8, 8, "16.00x", "decode", ""},
		{alphaGraph("trtllm", "2", "1", `--override-engine-args, '{"tensor_parallel_size":2,`+
			`"kv_cache_config":{"enable_block_reuse":false},"max_batch_size":1}'`), "trtllm", "--tp", 2, 2, "(32768)",
			"prefill", " --max-num-seqs 1 "},
		{alphaGraph("trtllm", "8", "1", `--override-engine-args, '{"tensor_parallel_size":8,`+
			`"moe_expert_parallel_size":8,"enable_attention_dp":true}'`), "trtllm", "--dep", 8, 8, "(131072)",
			"decode", ""},
		{`spec: {components: [{name: f, type: frontend}, {name: w, type: worker, podTemplate: {spec: {containers: [{name: main, command: [python3, -m, dynamo.vllm],
  args: [-tp, "2"], resources: {limits: {nvidia.com/gpu: "2"}}}]}}}]}`, "vllm", "--tp", 2, 2, "4.00x", "decode", ""},
	} {
		c := parse(t, test.graph)
		backend, err := c.backend()
		if err != nil || backend != test.backend {
			t.Errorf("%s: backend %s (%v)", test.graph, backend, err)
		}
		kind, size, err := c.mapping(backend)
		if err != nil || kind != test.kind || size != test.size || c.gpus() != test.gpus {
			t.Errorf("%s: %s %d on %d GPUs (%v), want %s %d on %d", test.graph, kind, size, c.gpus(), err, test.kind,
				test.size, test.gpus)
		}
		if kv, err := kvLine(backend, c); err != nil || !strings.Contains(kv, test.kv) {
			t.Errorf("%s: log line %q (%v), want %s", test.graph, kv, err, test.kv)
		}
		o := Operator{cfg: Config{Headway: "headway", GPU: "h200_sxm"}}
		p, err := o.frontend(c, "3")
		if err != nil {
			t.Error(err)
		}
		command := strings.Join(p.Command, " ") + " "
		for _, want := range []string{fmt.Sprintf(" %s %d ", test.kind, test.size), " --speedup-ratio 3 ",
			fmt.Sprintf(" --num-gpu-blocks-override %d ", 256*test.gpus), test.limits} {
			if !strings.Contains(command, want) {
				t.Errorf("%s: the frontend is %s, want %s in it", test.graph, command, want)
			}
		}
		if uncached := strings.Contains(command, "--no-enable-prefix-caching"); uncached != (test.phase == "prefill") {
			t.Errorf("%s: the frontend is %s in the phase %s", test.graph, command, test.phase)
		}
		if c.phase() != test.phase {
			t.Errorf("%s: phase %s", test.graph, c.phase())
		}
	}
}

func TestFault(t *testing.T) {
	decode := parse(t, alphaGraph("sglang", "4", "1", `--tp, "4"`))
	prefill := parse(t, alphaGraph("sglang", "4", "1", `--tp, "4", --disable-radix-cache`))
	const list = "2=no-image,prefill/4=crash-loop,decode/4=never-ready"
	if f, err := fault(list, decode); f != NeverReady || err != nil {
		t.Errorf("decode: %s (%v)", f, err)
	}
	if f, err := fault(list, prefill); f != CrashLoop || err != nil {
		t.Errorf("prefill: %s (%v)", f, err)
	}
	if f, err := fault("8=crash-loop", decode); f != "" || err != nil {
		t.Errorf("another size: %s (%v)", f, err)
	}
	if _, err := fault("four=crash-loop", decode); err == nil {
		t.Error("a list that cannot be read is taken")
	}
	if _, err := worker(decode, "misspelt"); err == nil {
		t.Error("a fault that nobody knows is taken")
	}
}

func TestImage(t *testing.T) {
	pod := &corev1.Pod{}
	if _, mine, _ := Image(pod); mine {
		t.Error("a stranger's pod is taken")
	}
	pod.Annotations = map[string]string{programAnnotation: string(NoImage)}
	if _, mine, err := Image(pod); !mine || err == nil {
		t.Error("the image that cannot be pulled is pulled")
	}
	pod.Annotations[programAnnotation] = `{"Log":["x"]}`
	if p, mine, err := Image(pod); !mine || err != nil || len(p.Log) != 1 {
		t.Errorf("program %v (%v)", p, err)
	}
}

func TestBadGraphs(t *testing.T) {
	for _, text := range []string{
		`spec: {}`, `spec: {services: 3}`,
		`spec: {services: {decode: {componentType: worker, resources: {limits: {gpu: many}}}}}`,
		`spec: {components: [{name: w, type: worker}]}`,
	} {
		g := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &g.Object); err != nil {
			t.Fatal(err)
		}
		if c, err := components(g); err == nil {
			t.Errorf("%s gives %v", text, c)
		}
	}
	c := parse(t, `spec: {services: {w: {componentType: worker, extraPodSpec: {mainContainer: {command: [sh]}}}}}`)
	if _, err := worker(c, ""); err == nil {
		t.Error("a worker of no backend is taken")
	}
}
