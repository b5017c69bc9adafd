package operator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"headway/test/kube/kubelet"

	corev1 "k8s.io/api/core/v1"
)

const gpuResource = corev1.ResourceName(kubelet.GPUResource)

// FaultsAnnotation of a graph says which faults its workers have, as a list of
// GPUS=FAULT, or PHASE/GPUS=FAULT with the phases prefill and decode:
//
//	headway.test/faults: 2=crash-loop,prefill/4=out-of-memory
const FaultsAnnotation = "headway.test/faults"

// SpeedupAnnotation of a graph divides every simulated time of its frontend, as
// --speedup-ratio of `headway sim serve` does.
const SpeedupAnnotation = "headway.test/speedup"

// programAnnotation of a pod holds the Program that it is played by.
const programAnnotation = "headway.test/program"

// Fault is what can go wrong with a worker.
type Fault string

// The faults. A worker that asks for more GPUs than there are, or than a quota
// allows, needs no fault of ours.
const (
	CrashLoop  Fault = "crash-loop"    // ends with status 1 each time it starts
	HostMemory Fault = "oom-killed"    // is killed for its host memory
	GPUMemory  Fault = "out-of-memory" // says so in its log and ends
	NoImage    Fault = "no-image"      // its image cannot be pulled
	NeverReady Fault = "never-ready"   // runs, and is never ready
	NoKVLine   Fault = "no-kv-line"    // its log says nothing of the KV cache
	CrashLater Fault = "crash-later"   // dies 3 s after it was ready
)

// Image is what the kubelet runs for a pod of the operator. mine is false for
// pods of others.
func Image(pod *corev1.Pod) (p kubelet.Program, mine bool, err error) {
	text, mine := pod.Annotations[programAnnotation]
	if !mine {
		return p, false, nil
	}
	if text == string(NoImage) {
		return p, true, errors.New("not found")
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, true, fmt.Errorf("annotation %s: %w", programAnnotation, err)
	}
	return p, true, nil
}

// fault is the one that the graph's annotation gives a worker.
func fault(annotation string, c component) (Fault, error) {
	for item := range strings.SplitSeq(annotation, ",") {
		if item == "" {
			continue
		}
		which, what, found := strings.Cut(item, "=")
		phase, gpus, phased := strings.Cut(which, "/")
		if !phased {
			phase, gpus = c.phase(), which
		}
		n, err := strconv.Atoi(gpus)
		if !found || err != nil {
			return "", fmt.Errorf("annotation %s: %q is not [PHASE/]GPUS=FAULT", FaultsAnnotation, item)
		}
		if n == c.gpus() && phase == c.phase() {
			return Fault(what), nil
		}
	}
	return "", nil
}

// phase is what a profiler's candidate is set up for: one that keeps no prefix
// cache computes prompts.
func (c component) phase() string {
	if c.has("--disable-radix-cache", "--no-enable-prefix-caching") ||
		strings.Contains(c.value("--override-engine-args"), `"enable_block_reuse":false`) {
		return "prefill"
	}
	return "decode"
}

// tokensPerGPU is the KV cache of each GPU: small, so that a full cache takes
// few requests.
const tokensPerGPU = 16384

const blockSize = 64

// worker is the program of a worker's pod. Its requests are answered by the
// frontend's.
func worker(c component, f Fault) (kubelet.Program, error) {
	backend, err := c.backend()
	if err != nil {
		return kubelet.Program{}, err
	}
	p := kubelet.Program{Startup: 300 * time.Millisecond,
		Log: []string{"loading the weights of " + c.value("--model-path", "--model")}}
	kv, err := kvLine(backend, c)
	if err != nil {
		return p, err
	}
	switch f {
	case "":
		p.Log = append(p.Log, kv)
	case CrashLoop:
		p.Log = append(p.Log, "RuntimeError: the test's worker always fails")
		p.Exit = &kubelet.Exit{After: 200 * time.Millisecond, Code: 1, Reason: "Error"}
	case HostMemory:
		p.Exit = &kubelet.Exit{After: 200 * time.Millisecond, Code: 137, Reason: "OOMKilled"}
	case GPUMemory:
		p.Log = append(p.Log, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a "+
			"total capacity of 139.72 GiB of which 1.03 GiB is free.")
		p.Exit = &kubelet.Exit{After: 200 * time.Millisecond, Code: 1, Reason: "Error"}
	case NeverReady:
		p.Log, p.NeverReady = append(p.Log, kv), true
	case NoKVLine:
		p.Log = append(p.Log, "ready")
	case CrashLater:
		p.Log = append(p.Log, kv)
		p.Exit = &kubelet.Exit{After: p.Startup + 3*time.Second, Code: 1, Reason: "Error"}
	default:
		return p, fmt.Errorf("annotation %s: no fault is called %q", FaultsAnnotation, f)
	}
	p.Log = append(p.Log, "")
	return p, nil
}

// kvLine is how each backend's log says what its KV cache holds. Those of
// SGLang and vLLM speak of one attention rank.
func kvLine(backend string, c component) (string, error) {
	kind, size, err := c.mapping(backend)
	if err != nil {
		return "", err
	}
	total := tokensPerGPU * c.gpus()
	rank := total
	if kind == "--dep" {
		rank /= size
	}
	switch backend {
	case "sglang":
		return fmt.Sprintf("[2026-01-01 00:00:00] KV Cache is allocated. #tokens: %d, K size: 1.00 GB, V "+
			"size: 1.00 GB", rank), nil
	case "vllm":
		return fmt.Sprintf("INFO 01-01 00:00:00 [kv_cache_utils.py:1] Maximum concurrency for 8,192 tokens per "+
			"request: %.2fx", float64(rank)/8192), nil
	case "trtllm":
		return fmt.Sprintf("[TensorRT-LLM][INFO] Allocated 2.00 GiB for max tokens in paged KV cache (%d).", total), nil
	}
	return "", fmt.Errorf("component %s: no backend is called %q", c.name, backend)
}

// frontend is the program of the frontend's pod: headway's simulated endpoint
// with the timing of the graph's worker.
func (o *Operator) frontend(w component, speedup string) (kubelet.Program, error) {
	backend, err := w.backend()
	if err != nil {
		return kubelet.Program{}, err
	}
	kind, size, err := w.mapping(backend)
	if err != nil {
		return kubelet.Program{}, err
	}
	model := w.value("--served-model-name")
	if model == "" {
		model = w.value("--model-path", "--model")
	}
	p := kubelet.Program{Port: frontendPort,
		Command: []string{o.cfg.Headway, "sim", "serve", "--port", "{port}", "--model", model,
			"--timing", "roofline", "--known-model", w.value("--model-path", "--model"), "--gpu", o.cfg.GPU, kind,
			strconv.Itoa(size),
			"--block-size", strconv.Itoa(blockSize), "--num-gpu-blocks-override",
			strconv.Itoa(tokensPerGPU * w.gpus() / blockSize)}}
	ranks := 1
	if kind == "--dep" {
		ranks = size
	}
	sequences, tokens, err := w.limits(backend, ranks)
	if err != nil {
		return p, err
	}
	for option, n := range map[string]int{"--max-num-seqs": sequences, "--max-num-batched-tokens": tokens} {
		if n > 0 {
			p.Command = append(p.Command, option, strconv.Itoa(n))
		}
	}
	if speedup != "" {
		p.Command = append(p.Command, "--speedup-ratio", speedup)
	}
	if w.phase() == "prefill" {
		p.Command = append(p.Command, "--no-enable-prefix-caching")
	}
	return p, nil
}
