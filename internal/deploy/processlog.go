package deploy

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"headway/internal/profile"
)

// memoryMarks are parts of the lines in which engines say that memory is
// short, in lower case: those of PyTorch, CUDA and HIP, then vLLM's, SGLang's
// and TensorRT-LLM's own.
var memoryMarks = []string{
	"outofmemoryerror", "cuda out of memory", "hip out of memory", "cuda_error_out_of_memory",
	"cudaerrormemoryallocation", "cuda error: out of memory", "cublas_status_alloc_failed",
	"no available memory for the cache blocks", "is less than desired gpu memory utilization",
	"larger than the available kv cache memory",
	"larger than the maximum number of tokens that can be stored in kv cache",
	"not enough memory. please try", "insufficient gpu memory", "out of memory on device",
}

// hostMarks are those of the host's memory.
var hostMarks = []string{"cannot allocate memory", "std::bad_alloc", "\nmemoryerror", "oom-kill"}

// MemoryLine finds the line of a log in which an engine says that memory was
// short, "" if there is none. host says that it is the host's.
func MemoryLine(log []byte) (text string, host bool) {
	for l := range bytes.Lines(log) {
		lower := "\n" + strings.ToLower(string(bytes.TrimSpace(l)))
		for i, marks := range [][]string{memoryMarks, hostMarks} {
			for _, m := range marks {
				if strings.Contains(lower, m) {
					return shorten(strings.TrimSpace(string(l)), 300), i == 1
				}
			}
		}
	}
	return "", false
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Death is what became of an engine, for Diagnose.
type Death struct {
	// Backend is vllm, sglang or trtllm; its options are named in the advice.
	Backend string
	// What says what happened, without the log: "exited with code 1".
	What string
	// Log is the log, or the end of it.
	Log []byte
	// Killed says that SIGKILL ended it, and HostMemory that the kernel did so
	// for want of memory.
	Killed, HostMemory bool
	// Devices are the GPUs that it saw, Path where the whole log is.
	Devices, Path string
}

// Diagnose sorts a death by what the engine's log says, with advice.
func (d Death) Diagnose() *profile.DeadError {
	e := &profile.DeadError{Reason: profile.ReasonCrash, Message: d.What, Log: lastLines(d.Log, 20)}
	text, host := MemoryLine(d.Log)
	switch {
	case text != "" && !host:
		e.Reason, e.Message = profile.ReasonMemory, d.What+": "+text
		e.Advice = "lower " + memoryOptions(d.Backend) + "; visible devices: " + cmp.Or(d.Devices, "none") +
			", and nothing else should be using them"
	case text != "" || d.HostMemory:
		e.Reason = profile.ReasonMemory
		if text != "" {
			e.Message += ": " + text
		}
		e.Advice = "the host's memory ran out, not the GPUs': give it more, or run fewer candidates side by side; " +
			"visible devices: " + cmp.Or(d.Devices, "none")
	case d.Killed:
		e.Advice = "somebody, or something that watches over memory, ended it; dmesg may say"
	case len(bytes.TrimSpace(d.Log)) == 0:
		e.Advice = "it wrote no log; try the command by hand"
	default:
		last := e.Log[strings.LastIndexByte(e.Log, '\n')+1:]
		e.Message += ": " + shorten(strings.TrimSpace(last), 300)
		e.Advice = "its log says more"
	}
	if d.Path != "" {
		e.Advice += " (" + d.Path + ")"
	}
	return e
}

// memoryOptions names what to lower, as the backend spells it.
func memoryOptions(backend string) string {
	switch backend {
	case "vllm":
		return "--max-num-batched-tokens, --max-model-len or --max-num-seqs, or change --gpu-memory-utilization"
	case "sglang":
		return "--chunked-prefill-size, --context-length or --max-running-requests, or change --mem-fraction-static"
	case "trtllm":
		return "max_num_tokens, max_seq_len or max_batch_size, or change kv_cache_config.free_gpu_memory_fraction"
	}
	return "the most tokens of a batch (max-num-batched-tokens) or of a sequence (max-model-len), or change the " +
		"memory fraction"
}

// lastLines is the end of a log: so many lines and no more than 4 KB.
func lastLines(log []byte, n int) string {
	log = bytes.TrimRight(log, "\r\n \t")
	log = log[max(0, len(log)-4096):]
	from := len(log)
	for range n {
		i := bytes.LastIndexByte(log[:from], '\n')
		if i < 0 {
			return strings.ToValidUTF8(string(log), "")
		}
		from = i
	}
	return strings.ToValidUTF8(string(log[from+1:]), "")
}

// logTail reads the last megabyte of a log, in which whatever ended an engine
// stands.
func logTail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the engine's log: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the engine's log: %w", err)
	}
	if _, err := f.Seek(max(0, info.Size()-1<<20), io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the engine's log: %w", err)
	}
	return io.ReadAll(f)
}
