package openai

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// said is a delta whose texts can be compared.
type said struct {
	Content, Reasoning, Tool string
	Finish                   string
	Usage                    map[string]int
	Failure                  string
}

func saidBy(d delta) said {
	s := said{string(d.content), string(d.reasoning), string(d.tool), string(d.finish), d.usage.named(), ""}
	if d.failure != nil {
		s.Failure = d.failure.Message
	}
	return s
}

// decodeCases are the cases of TestDecode.
var decodeCases = []struct {
	in    string
	want  said
	quick bool
}{
	{`{"id":"c-1","object":"chat.completion.chunk","created":17e3,"model":"m","system_fingerprint":null,` +
		`"choices":[{"index":0,"delta":{"content":" Hi"},"logprobs":null,"finish_reason":null}]}`,
		said{Content: " Hi"}, true},
	{` { "choices" : [ { "delta" : { "role":"assistant" , "content" : "" } } ] } `, said{}, true},
	{`{"choices":[{"delta":{"content":"a\n\"\u00e9\/\t"},"finish_reason":"stop"}],"usage":null,"error":null}`,
		said{Content: "a\n\"é/\t", Finish: "stop"}, true},
	{`{"choices":[{"delta":{"content":"\ud83d\ude00"}}]}`, said{Content: "😀"}, false},
	{`{"choices":[{"delta":{"reasoning_content":"r","reasoning":"r","content":null,"tool_calls":null}}]}`,
		said{Reasoning: "r"}, true},
	{`{"choices":[{"delta":{"reasoning":"r","reasoning_content":null,"content":"c"}}]}`,
		said{Reasoning: "r", Content: "c"}, true},
	{`{"choices":[{"delta":{"reasoning":"q","reasoning_content":""}}]}`, said{Reasoning: "q"}, true},
	{`{"choices":[{"text":"t","logprobs":{"tokens":["t"],"top":[{"t":-0.5}]}}]}`, said{Content: "t"}, true},
	{`{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}`, said{Content: "ab"}, false},
	{`{"choices":[]}`, said{}, true},
	{`{}`, said{}, true},
	{`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}},` +
		`{"index":1,"function":{"arguments":{"a": 1}}}]}}]}`, said{Tool: `f{}{"a":1}`}, false},
	{`{"choices":[{"delta":{"function_call":{"name":"f","arguments":"1"}}}]}`, said{Tool: "f1"}, false},
	{`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4.0,"total_tokens":13,` +
		`"prompt_tokens_details":{"cached_tokens":3,"audio_tokens":1},` +
		`"completion_tokens_details":{"reasoning_tokens":2,"accepted_prediction_tokens":5,` +
		`"rejected_prediction_tokens":6,"audio_tokens":7}}}`,
		said{Usage: map[string]int{"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13,
			"prompt_cache_read_tokens": 3,
			"prompt_audio_tokens":      1, "reasoning_tokens": 2, "accepted_prediction_tokens": 5,
			"rejected_prediction_tokens": 6, "completion_audio_tokens": 7}}, false},
	{`{"usage":{"prompt_cache_hit_tokens":1,"prompt_cache_miss_tokens":2,"cache_creation_input_tokens":3,` +
		`"completion_tokens":"4","prompt_tokens":-1,"total_tokens":"x"}}`,
		said{Usage: map[string]int{"completion_tokens": 4, "prompt_cache_read_tokens": 1,
			"prompt_cache_miss_tokens": 2, "prompt_cache_write_tokens": 3}}, false},
	{`{"usage":{}}`, said{}, false},
	{`{"error":{"message":"no","code":503}}`, said{Failure: "no"}, false},
	{`{"error":"plain"}`, said{Failure: "plain"}, false},
	{`{"object":"error","message":"old","code":400}`, said{Failure: "old"}, false},
	{`{"text":"no GPU","error_code":50002}`, said{Failure: "no GPU"}, false},
	{`{"choices":[{"text":"t"}],"error_code":0}`, said{Content: "t"}, false},
	{`{"choices":[{"text":"t","finish_reason":"length"},{"text":"","finish_reason":"abort"},` +
		`{"finish_reason":"stop"}]}`, said{Content: "t", Finish: "abort"}, false},
	{`{"choices":[{"text":"t","finish_reason":{"type":"length","length":8}}]}`,
		said{Content: "t", Finish: "length"}, false},
	{`{"choices":[{"delta":{},"finish_reason":""}]}`, said{}, true},
	{`{"choices":[{"delta":{"content":"x"}}],"error":{"type":"t"}}`, said{Failure: `{"type":"t"}`}, false},
}

func TestDecode(t *testing.T) {
	for _, tt := range decodeCases {
		var d decoder
		if _, quick := d.quick([]byte(tt.in)); quick != tt.quick {
			t.Errorf("%s: quick %v, want %v", tt.in, quick, tt.quick)
		}
		got, err := d.decode([]byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if diff := cmp.Diff(tt.want, saidBy(got)); diff != "" {
			t.Errorf("%s: %s", tt.in, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	var d decoder
	for _, in := range []string{"", "x", "[]", "1", `"a"`, `{`, `{"choices":[`, `{"a":1,}`, `{"a" 1}`, `{"a":1} x`,
		`{"choices":[{"delta":{"content":"a}}]}`, `{"a":tru}`, `{"a":-}`, `{"a":[1 2]}`,
		strings.Repeat(`{"a":`, 1000)} {
		if got, err := d.decode([]byte(in)); err == nil {
			t.Errorf("%s: accepted: %+v", in, saidBy(got))
		}
	}
}

// A status in an error body is kept where it is one of an error.
func TestReportedCode(t *testing.T) {
	for in, want := range map[string]int{
		`{"error":{"message":"m","code":429}}`:        429,
		`{"error":{"message":"m","code":"503"}}`:      503,
		`{"error":{"message":"m","code":"bad"}}`:      502,
		`{"error":{"message":"m","code":200}}`:        502,
		`{"error":{"message":"m"},"status_code":404}`: 404,
		`{"object":"error","message":"m","code":400}`: 400,
		`{"error":"m"}`: 502,
	} {
		var d decoder
		x, err := d.decode([]byte(in))
		if err != nil || x.failure == nil || x.failure.Code != want || x.failure.Message != "m" {
			t.Errorf("%s: %+v %v, want code %d", in, x.failure, err, want)
		}
	}
}

// FuzzChunk holds the quick way against the parser: where the quick way reads
// a chunk, the parser says the same.
func FuzzChunk(f *testing.F) {
	for _, s := range []string{
		roleChunk, chunk("Hello \"x\"\n"), finishChunk, usageChunk,
		`{"choices":[{"text":"a","delta":{"content":"b"}}]}`,
		`{"choices":[{"delta":{"content":"b"},"text":"a"}]}`,
		`{"choices":[{"delta":{"content":"a"},"delta":{"content":"b"}}]}`,
		`{"choices":[],"choices":[{"text":"x"}]}`, `{"choices":[{"finish_reason":"abort"}],"error_code":null}`,
		`{"error_code":1,"text":"x"}`,
		`{"choices":[{"finish_reason":"","finish_reason":"stop"}]}`,
		`{"choices":[{"delta":{"reasoning":"a","reasoning_content":"b"}}]}`,
		`{"object":"error","message":"x"}`, `{"object":"error"}`, `{"error":null,"error":"x"}`,
		`{"\u0065rror":"x"}`, `{"a":1e5,"b":-0.0,"c":[{},[]],"d":"\\\""}`,
		`{"choices":[{"delta":{"content":"\u00e9\ud83d\ude00\uD800"}}]}`, `{"a":01}`, `{"a":nan}`,
		`{"choices":[{"message":null,"delta":{"tool_calls":null,"content":null}}]}`,
	} {
		f.Add([]byte(strings.TrimSuffix(strings.TrimPrefix(s, "data: "), "\n\n")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fast, slow decoder
		before := string(data)
		quick, ok := fast.quick(data)
		parsed, err := slow.parse(data, mostValues)
		if string(data) != before {
			t.Fatal("the chunk was changed")
		}
		if !ok {
			return
		}
		if err != nil {
			t.Fatalf("%s: read the quick way, and refused by the parser: %v", data, err)
		}
		if diff := cmp.Diff(saidBy(parsed), saidBy(quick)); diff != "" {
			t.Fatalf("%s: the parser (-) and the quick way (+) differ: %s", data, diff)
		}
	})
}

const usualChunk = `{"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk",` +
	`"created":1790000000,"model":"Qwen/Qwen3-0.6B","choices":[{"index":0,"delta":{"content":" word"},` +
	`"logprobs":null,"finish_reason":null}]}`

func TestUsualChunkAllocatesNothing(t *testing.T) {
	var d decoder
	for _, in := range []string{usualChunk, strings.Replace(usualChunk, " word", `\n\u00e9`, 1)} {
		data := []byte(in)
		if n := testing.AllocsPerRun(200, func() {
			if x, err := d.decode(data); err != nil || len(x.content) == 0 {
				t.Fatal(x, err)
			}
		}); n != 0 {
			t.Errorf("%v allocations for %s", n, in)
		}
	}
}

func BenchmarkChunk(b *testing.B) {
	data := []byte(usualChunk)
	b.Run("quick", func(b *testing.B) {
		var d decoder
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := d.quick(data); !ok {
				b.Fatal("not quick")
			}
		}
	})
	b.Run("parser", func(b *testing.B) {
		var d decoder
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.parse(data, mostValues); err != nil {
				b.Fatal(err)
			}
		}
	})
}
