package workload

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// one is a request as a log has it.
type one struct {
	at            time.Duration
	input, output int
}

// readAs reads a text whose format is found.
func readAs(t *testing.T, text string, want Format) []one {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := ReadFile(path, ReadOptions{Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
	if d.Format != want {
		t.Errorf("%v, want %v", d.Format, want)
	}
	var all []one
	for _, r := range d.Requests {
		if r.Prompt.Text != "" || r.Prompt.Messages != nil {
			t.Errorf("text of a prompt was kept: %+v", r.Prompt)
		}
		all = append(all, one{r.At, r.Prompt.Tokens, r.OutputTokens})
	}
	return all
}

// Requests are in the order in which they came, not in that of their ends; what users
// wrote can say what it likes.
func TestReadSGLangLog(t *testing.T) {
	text := `/x/launch_server.py:55: UserWarning: deprecated
[2026-11-30 06:04:42] Fail to set RLIMIT_NOFILE
[2026-11-30 06:05:10] Receive: obj=GenerateReqInput(rid='a', text='secret')
[2026-11-30 06:05:12] Finish: obj=GenerateReqInput(rid='b'), out={'text': "x 'meta_info': {'prompt_tokens': 9", ` +
		`'meta_info': {'id': 'b', 'prompt_tokens': 700, 'completion_tokens': 20, 'cached_tokens': 0, 'e2e_latency': 0.5}}
[2026-11-30 06:05:14 TP0] Finish: obj=GenerateReqInput(rid='a', text='secret'), out={'text': 'y', 'meta_info': ` +
		`{'prompt_tokens': 100, 'completion_tokens': 64, 'e2e_latency': 4.25}}
[2026-11-30 06:05:15] Finish: obj=GenerateReqInput(rid='c'), out={'meta_info': {'prompt_tokens': 5}}
`
	want := []one{{0, 100, 64}, {1750 * time.Millisecond, 700, 20}}
	same(t, readAs(t, text, SGLangLog), want)

	text = `[2026-11-30 06:05:14] {"timestamp": "2026-11-30T06:05:14.250000", "event": "request.received", "rid": "a"}
[2026-11-30 06:05:15] {"timestamp": "2026-11-30T06:05:15.250000", "event": "request.finished", "rid": "a", ` +
		`"out": {"text": "z", "meta_info": {"prompt_tokens": 11, "completion_tokens": 2, "e2e_latency": 1.0}}}
`
	same(t, readAs(t, text, SGLangLog), []one{{0, 11, 2}})
	same(t, readAs(t, strings.ReplaceAll(text, "[2026-11-30 06:05:14] ", ""), SGLangLog), []one{{0, 11, 2}})
}

func same(t *testing.T, got, want []one) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("request %d: %v, want %v", i, got[i], want[i])
		}
	}
}

// Calls count once, with old names of attributes, too; agents and embeddings do not.
func TestReadSpans(t *testing.T) {
	call := func(id, parent, start, operation, in, out string) string {
		return `{"spanId":"` + id + `","parentSpanId":"` + parent + `","startTimeUnixNano":` + start +
			`,"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"` + operation + `"}},` +
			`{"key":"gen_ai.input.messages","value":{"stringValue":"secret"}},` +
			`{"key":"gen_ai.usage.` + in + `","value":{"intValue":"300"}},` +
			`{"key":"gen_ai.usage.` + out + `","value":{"intValue":40}}]}`
	}
	wrap := func(spans ...string) string {
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Join(spans, ",") + `]}]}]}` + "\n"
	}
	text := wrap(call("1", "9", `"1700000002000000000"`, "chat", "input_tokens", "output_tokens")) +
		wrap(call("2", "", `1700000001000000000`, "", "prompt_tokens", "completion_tokens"),
			call("3", "1", `"1700000003000000000"`, "chat", "input_tokens", "output_tokens"),
			call("4", "", `"1700000003000000000"`, "invoke_agent", "input_tokens", "output_tokens"),
			call("5", "", `"1700000003000000000"`, "embeddings", "input_tokens", "output_tokens"))
	same(t, readAs(t, text, Spans), []one{{0, 300, 40}, {time.Second, 300, 40}})
}

// The call of a server is that of its client, with HTTP between them, too; ids are those of
// a trace, and what was exported twice counts once.
func TestReadSpansOfTraces(t *testing.T) {
	line := func(trace, id, parent, at string, call bool) string {
		text := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + trace + `","spanId":"` + id +
			`","parentSpanId":"` + parent + `","startTimeUnixNano":"170000000` + at + `000000000"`
		if call {
			text += `,"attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"3"}},` +
				`{"key":"gen_ai.usage.output_tokens","value":{"intValue":"4"}}]`
		}
		return text + "}]}]}]}\n"
	}
	text := line("x", "server", "http", "1", true) + line("x", "http", "client", "1", false) +
		line("x", "client", "", "1", true) + line("x", "client", "", "1", true) +
		line("y", "other", "client", "3", true) +
		line("z", "a", "b", "4", true) + line("z", "b", "a", "4", false)
	same(t, readAs(t, text, Spans), []one{{0, 3, 4}, {2 * time.Second, 3, 4}, {3 * time.Second, 3, 4}})
}

// Times are in seconds; the last block may have no id.
func TestReadBailian(t *testing.T) {
	text := `{"chat_id": 159, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 33, "output_length": 9, "hash_ids": [1, 2]}
{"chat_id": 160, "parent_chat_id": 159, "timestamp": 62.5, "input_length": 40, "output_length": 7, "hash_ids": [1, 2, 3]}
{"chat_id": 161, "timestamp": 63, "input_length": 40, "output_length": 7, "hash_ids": [1]}
`
	same(t, readAs(t, text, Bailian), []one{{61114 * time.Millisecond, 33, 9}, {62500 * time.Millisecond, 40, 7}})
}

// A log of vLLM does not have what is needed, and says what does.
func TestDetectRefusesVLLMLog(t *testing.T) {
	_, err := detect(strings.NewReader("(APIServer pid=9) INFO:     Started server process [9]\n" +
		"(APIServer pid=9) INFO 02-13 11:33:33 [logger.py:49] Received request chatcmpl-a: " +
		"params: SamplingParams(n=1, max_tokens=100), lora_request: None.\n"))
	if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "--otlp-traces-endpoint") {
		t.Error(err)
	}
}

// A file without a request says what it lacks.
func TestLogsWithoutRequests(t *testing.T) {
	for text, want := range map[string]string{
		"[2026-11-30 06:04:42] Init\n": "--log-requests", `{"resourceSpans":[]}` + "\n": "gen_ai.usage.input_tokens",
	} {
		format, err := detect(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(strings.NewReader(text), "x", ReadOptions{Format: format})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
