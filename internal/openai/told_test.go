package openai

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headway/record"
	"headway/workload"
)

// Chunks of a Dynamo 1.6.1 frontend in mode kv, but for their text.
const (
	dynamoWorkers = `"nvext":{"worker_id":{"prefill_worker_id":2281416464551591364,"prefill_dp_rank":0,` +
		`"decode_worker_id":18446744073709551615,"decode_dp_rank":3}`
	dynamoChunk = `{"id":"c","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null,"logprobs":null}],` +
		`"created":1796058240,"model":"tiny","object":"chat.completion.chunk",` + dynamoWorkers + `}}`
	dynamoLast = `{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"length","logprobs":null}],` +
		`"created":1796058240,"model":"tiny","object":"chat.completion.chunk",` + dynamoWorkers +
		`,"timing":{"request_received_ms":1796058240185,"prefill_wait_time_ms":0.764605,` +
		`"prefill_time_ms":19.274026,"ttft_ms":20.038631,"total_time_ms":31.782708,"kv_hit_rate":0.25,` +
		`"router_queue_depth":2}}}`
)

func at[T any](v T) *T { return &v }

// told is the Record of a stream of such chunks, or of one whole reply.
func told(t *testing.T, header string, chunks ...string) *record.Tape {
	t.Helper()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if header != "" {
			w.Header().Set("X-Worker-Id", header)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range chunks {
			_, _ = io.WriteString(w, "data: "+c+"\n\n")
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	})
	target, err := NewTarget(Config{URLs: []string{s.URL}, Models: []string{"m"}, Streaming: true})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	tape, done := record.NewTape(record.NewClock(), record.Record{}, nil), make(chan struct{})
	target.Start(t.Context(), workload.Request{Session: "s", Turns: 1, Prompt: workload.Prompt{Text: "hello"}},
		tape, func() { close(done) })
	<-done
	return tape
}

// What a frontend tells stands in the Record: ids of 64 bits to the last digit,
// durations in seconds, whatever came in which chunk.
func TestTold(t *testing.T) {
	tape := told(t, "7", dynamoChunk, dynamoChunk, dynamoLast)
	want := &record.Told{PrefillWorker: "2281416464551591364", DecodeWorker: "18446744073709551615",
		PrefillRank: at(0), DecodeRank: at(3), Received: 1796058240185, Wait: at(0.000764605), Prefill: at(0.019274026),
		TTFT: at(0.020038631), Total: at(0.031782708), HitRate: at(0.25), Queued: at(2)}
	if diff := cmp.Diff(want, tape.Told, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
	if tape.Worker != want.DecodeWorker || tape.Outcome != record.OK {
		t.Errorf("worker %q, %v (%v)", tape.Worker, tape.Outcome, tape.Failure)
	}
}

// What is no id, no duration and no share is left out, and changes nothing else.
func TestToldNonsense(t *testing.T) {
	for told1, want := range map[string]*record.Told{
		`null`: nil, `5`: nil, `{}`: nil, `{"worker_id":3,"timing":[]}`: nil,
		`{"worker_id":{"decode_worker_id":1e3,"prefill_worker_id":-1}}`:                 nil,
		`{"worker_id":{"decode_worker_id":123456789012345678901}}`:                      nil,
		`{"worker_id":{"prefill_worker_id":"w\u001b[2J"}}`:                              {PrefillWorker: `w [2J`},
		`{"timing":{"ttft_ms":-1,"total_time_ms":1e300,"kv_hit_rate":2}}`:               nil,
		`{"timing":{"request_received_ms":1.5}}`:                                        nil,
		`{"timing":{"ttft_ms":"1","router_queue_depth":-1,"prefill_time_ms":null}}`:     nil,
		`{"worker_id":{"decode_dp_rank":1},"x":"` + strings.Repeat("y", maxTold) + `"}`: nil,
		`{"worker_id":{"decode_dp_rank":1},"x":[` + strings.Repeat("1,", 2000) + `1]}`:  nil,
	} {
		chunk := strings.Replace(dynamoChunk, dynamoWorkers+"}", `"nvext":`+told1, 1)
		tape := told(t, "7", chunk, strings.Replace(dynamoLast, `"nvext"`, `"no"`, 1))
		if diff := cmp.Diff(want, tape.Told); diff != "" || tape.Outcome != record.OK {
			t.Errorf("%.80s: %v %v %s", told1, tape.Outcome, tape.Failure, diff)
		}
		if want == nil && tape.Worker != "7" {
			t.Errorf("%.80s: worker %q", told1, tape.Worker)
		}
	}
}

// The usual chunk of such a stream is read the quick way.
func TestToldIsQuick(t *testing.T) {
	var d decoder
	x, ok := d.quick([]byte(dynamoChunk))
	y, err := d.parse([]byte(dynamoLast), mostValues)
	if !ok || err != nil || !strings.HasPrefix(string(x.nvext), `{"worker_id"`) || len(y.nvext) <= len(x.nvext) {
		t.Errorf("quick %v, %q; %v, %q", ok, x.nvext, err, y.nvext)
	}
}

// It is asked for beside what the user and the plan of a benchmark say, and the
// three do not lose each other.
func TestTellInBodies(t *testing.T) {
	for _, tt := range []struct{ config, own, want string }{
		{"", "", `{"extra_fields":["worker_id","timing"]}`},
		{`{"nvext":{"a":1}}`, "", `{"a":1,"extra_fields":["worker_id","timing"]}`},
		{`{"nvext":{"a":1,"agent_hints":{"osl":3}}}`, `{"nvext":{"b":2,"agent_hints":{"priority":1}}}`,
			`{"a":1,"agent_hints":{"osl":3,"priority":1},"b":2,"extra_fields":["worker_id","timing"]}`},
		{`{"nvext":{"extra_fields":["token_ids"]}}`, "", `{"extra_fields":["token_ids"]}`},
		{`{"nvext":5}`, "", `5`},
		{"", `{"nvext":null}`, `{"extra_fields":["worker_id","timing"]}`},
	} {
		r := workload.Request{Prompt: workload.Prompt{Text: "hi"}, Extra: []byte(tt.own)}
		b, err := Body(Config{Models: []string{"m"}, Tell: true, Extra: []byte(tt.config)}, r, nil)
		if err != nil || !strings.Contains(string(b), `"nvext":`+tt.want) {
			t.Errorf("%s %s: %s, %v", tt.config, tt.own, b, err)
		}
	}
}

// A server that takes the field and tells nothing is asked no further, and so is
// one that refuses it, of which nobody is told.
func TestTells(t *testing.T) {
	leaks(t)
	fields := append(ExactLength(), Telling())
	quiet, _ := strict(t, 400, true)
	refuses, asked := strict(t, 400, true, "extra_fields")
	says := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(b), `"nvext":{"extra_fields":["worker_id","timing"]}`) {
			t.Errorf("asked with %s", b)
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"x"}}],`+dynamoWorkers+`}}`)
	})
	for url, want := range map[string]bool{quiet.URLs[0]: false, refuses.URLs[0]: false, says.URL: true} {
		c := Config{URLs: []string{url}, Models: []string{"m"}}
		if a := Accepted(t.Context(), c, fields); a.Tells() != want || a.Warning() != nil || !a.Sent("min_tokens") {
			t.Errorf("%s: %+v", url, a)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
	both := Config{URLs: []string{says.URL, quiet.URLs[0]}, Models: []string{"m"}}
	if a := Accepted(t.Context(), both, fields); a.Tells() {
		t.Error("one of two replicas tells nothing")
	}
}

// A field that the server does not know has advice that names it; Dynamo's own words
// of 1.6.1 for nvext.ignore_eos say what to write instead.
func TestAdviceOnFields(t *testing.T) {
	const dynamo = "Failed to deserialize the JSON body into the target type: unknown field `ignore_eos`, expected " +
		"one of `greed_sampling`, `extra_fields`, `agent_hints` at line 1 column 99"
	for message, want := range map[string]string{
		dynamo: "--extra-inputs ignore_eos:true",
		`[{"type":"extra_forbidden","loc":["body","top_x"],"msg":"Extra inputs"}]`: "does not know top_x",
		"the context is too long": "often the model's context",
	} {
		f := record.Failure{Class: record.ClassHTTP4, Code: 400, Message: message}
		if got := Advice(f, "http://a:8000"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", message, got)
		}
	}
}
