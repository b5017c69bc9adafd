package metric

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headway/record"
)

var near = cmpopts.EquateApprox(1e-12, 0)

// reasoner is a streamed reply with everything: a role, reasoning, content, a
// tool call, usage, and an end mark after the last text.
func reasoner() *record.Record {
	return &record.Record{
		Planned: ms(90), Start: ms(100), Sent: ms(130), Ack: ms(140), Done: ms(1000),
		HTTP: record.HTTP{
			DNSStart: ms(102), DNSDone: ms(107), ConnectStart: ms(108), ConnectDone: ms(111),
			TLSStart: ms(111), TLSDone: ms(119), GotConn: ms(120), HeadersSent: ms(125),
			FirstByte: ms(139), FirstBody: ms(145), End: ms(995),
			BytesSent: 2048, BytesReceived: 65536, Chunks: 7,
		},
		Arrivals: []record.Arrival{
			chunk(150, 0),
			chunk(300, record.Reasoning),
			chunk(350, record.Reasoning),
			chunk(350, record.Reasoning|record.Content),
			chunk(500, record.Content),
			chunk(800, record.ToolCall),
			chunk(900, record.Usage),
		},
		Streamed: true, Outcome: record.OK, PlannedOSL: 40,
		TokensIn: 400, TokensOut: 20, TokensReasoning: 6,
		Usage: map[string]int{
			"prompt_tokens": 410, "completion_tokens": 30, "total_tokens": 440, "reasoning_tokens": 6,
			"prompt_cache_read_tokens": 128, "accepted_prediction_tokens": 3,
		},
		FirstUsage: 6,
	}
}

// wholeReply is a reply that did not stream.
func wholeReply() *record.Record {
	r := reply(100, 600)
	r.Streamed = false
	r.Planned = 0
	r.TokensOut = 50
	r.Done = ms(700)
	return r
}

// formulasCases are the cases of TestFormulas.
var formulasCases = []struct {
	name    string
	options Options
	record  *record.Record
	want    map[string]float64
}{
	{"reasoning stream", Options{Streaming: true}, reasoner(), map[string]float64{
		"request_latency":                  700,
		"time_to_first_token":              200,
		"time_to_second_token":             50,
		"time_to_first_output_token":       250,
		"decode_duration":                  500,
		"inter_token_latency":              20, // 500/(26−1)
		"output_token_throughput_per_user": 50,
		"prefill_throughput_per_user":      2000,
		"e2e_output_token_throughput":      26 / 0.7,
		"output_sequence_length":           26,
		"output_token_count":               20,
		"reasoning_token_count":            6,
		"input_sequence_length":            400,
		"credit_to_start_latency":          10,
		"effective_latency":                710,
		"effective_time_to_first_token":    210,
		"osl_mismatch_diff_pct":            -35, // (26−40)/40
		"usage_prompt_tokens":              410,
		"usage_completion_tokens":          30,
		"usage_total_tokens":               440,
		"usage_reasoning_tokens":           6,
		"usage_prompt_cache_read_tokens":   128,
		"usage_accepted_prediction_tokens": 3,
		"usage_prompt_tokens_diff_pct":     2.5,
		"usage_completion_tokens_diff_pct": 100 * 4. / 26,
		"usage_reasoning_tokens_diff_pct":  0,
		"http_req_blocked":                 2,
		"http_req_dns_lookup":              5,
		"http_req_connecting":              11,
		"http_req_sending":                 10,
		"http_req_waiting":                 15,
		"http_req_receiving":               850,
		"http_req_duration":                875,
		"http_req_connection_overhead":     18,
		"http_req_total":                   893,
		"http_req_data_sent":               2, // KB of 1024 bytes
		"http_req_data_received":           64,
		"http_req_connection_reused":       0,
		"http_req_chunks_received":         7,
	}},
	{"whole reply", Options{Streaming: true}, wholeReply(), map[string]float64{
		"request_latency": 500, "e2e_output_token_throughput": 100, "output_sequence_length": 50,
		"output_token_count": 50, "input_sequence_length": 100,
	}},
	{"one token", Options{Streaming: true}, reply(100, 200), map[string]float64{
		"request_latency": 100, "time_to_first_token": 100, "time_to_first_output_token": 100,
		"decode_duration": 0, "prefill_throughput_per_user": 1000, "e2e_output_token_throughput": 10,
		"output_sequence_length": 1, "output_token_count": 1, "input_sequence_length": 100,
		"credit_to_start_latency": 0, "effective_latency": 100, "effective_time_to_first_token": 100,
	}},
	{"many tokens in one chunk", Options{Streaming: true}, func() *record.Record {
		r := reply(100, 200)
		r.TokensOut, r.TokensIn, r.Planned = 8, -1, 0
		return r
	}(), map[string]float64{
		"request_latency": 100, "time_to_first_token": 100, "time_to_first_output_token": 100,
		"decode_duration":             0, // and no pace of its tokens
		"e2e_output_token_throughput": 80, "output_sequence_length": 8, "output_token_count": 8,
	}},
	{"asked without streaming", Options{}, func() *record.Record {
		r := reply(100, 200, 300)
		r.Planned, r.TokensIn = 0, -1
		return r
	}(), map[string]float64{
		"request_latency": 200, "e2e_output_token_throughput": 10,
		"output_sequence_length": 2, "output_token_count": 2,
	}},
	{"failed", Options{Streaming: true}, failed(100, 200, record.Failure{Class: record.ClassHTTP5}),
		map[string]float64{"error_isl": 100}},
	{"cancelled after text", Options{Streaming: true}, func() *record.Record {
		r := reasoner()
		r.Outcome = record.Cancelled
		return r
	}(), map[string]float64{"error_isl": 400}},
	{"success without text", Options{Streaming: true}, func() *record.Record {
		r := reply(100, 200)
		r.Arrivals[0].Kind = record.Usage
		return r
	}(), map[string]float64{"error_isl": 100}},
	{"dropped", Options{Streaming: true}, &record.Record{Planned: ms(5), Outcome: record.Dropped, TokensIn: 100},
		map[string]float64{}},
	{"text before the start", Options{Streaming: true}, reply(100, 90, 200), map[string]float64{"error_isl": 100}},
}

func TestFormulas(t *testing.T) {
	tests := formulasCases
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := shown(test.options.Values(test.record))
			if diff := cmp.Diff(test.want, got, near); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesOrderAndLists(t *testing.T) {
	values := Values(reasoner())
	var order []string
	for _, v := range values {
		m, ok := Lookup(v.Tag)
		if !ok || m.Unit != v.Unit || m.Integer != v.Integer {
			t.Errorf("%+v does not agree with its metric %+v", v, m)
		}
		order = append(order, v.Tag)
		if v.Tag == "inter_chunk_latency" {
			if diff := cmp.Diff([]float64{50, 0, 150, 300}, v.List, near); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		}
	}
	var table []string
	for _, m := range All() {
		if slices.Contains(order, m.Tag) {
			table = append(table, m.Tag)
		}
	}
	if diff := cmp.Diff(table, order); diff != "" {
		t.Errorf("order (-table +values):\n%s", diff)
	}
}

func TestICLDropsTheWholeListOnANegativeGap(t *testing.T) {
	kept := []float64{7}
	if got := ICL(reply(0.5, 10, 30, 20, 40), kept); !slices.Equal(got, kept) {
		t.Errorf("got %v, want the values of other requests alone, %v", got, kept)
	}
	if got := ICL(reply(0.5, 10, 30, 30), kept); !cmp.Equal(got, []float64{7, 0.02, 0}, near) {
		t.Errorf("got %v", got)
	}
}

func TestITLByUsage(t *testing.T) {
	tests := []struct {
		name       string
		osl, first int
		want       float64 // ms over a decode of 60 ms
	}{
		{"first chunk of four", 10, 4, 10},
		{"no usage", 11, 0, 6},
		{"usage of the whole reply", 11, 11, 6},
		{"usage beyond the reply", 11, 40, 6},
		{"one left", 11, 10, 60},
	}
	for _, test := range tests {
		r := reply(1, 100, 112, 124, 136, 148, 160)
		r.TokensOut, r.FirstUsage = test.osl, test.first
		got := shown(Options{Streaming: true, PerChunkUsage: true}.Values(r))
		if !cmp.Equal(test.want, got["inter_token_latency"], near) {
			t.Errorf("%s: ITL %v ms, want %v", test.name, got["inter_token_latency"], test.want)
		}
		if !cmp.Equal(1000/test.want, got["output_token_throughput_per_user"], near) {
			t.Errorf("%s: %v tokens/s/user, want %v", test.name, got["output_token_throughput_per_user"],
				1000/test.want)
		}
	}
}

func TestHTTPOnAnOpenConnection(t *testing.T) {
	r := reasoner()
	r.HTTP.Reused, r.HTTP.GotConn = true, ms(104) // the dial that lost the race goes on
	r.Sent = ms(146)                              // stamped after the reply's first byte
	got := shown(Values(r))
	want := map[string]float64{
		"http_req_blocked": 4, "http_req_dns_lookup": 0, "http_req_connecting": 0,
		"http_req_waiting": 0, "http_req_sending": 42, "http_req_connection_reused": 1,
		"http_req_connection_overhead": 4, "http_req_total": 4 + 42 + 850,
	}
	maps.DeleteFunc(got, func(tag string, _ float64) bool { _, ok := want[tag]; return !ok })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.HTTP = record.HTTP{}
	if v, ok := shown(Values(r))["http_req_total"]; ok {
		t.Errorf("a record without a connection has http_req_total %v", v)
	}
}

func TestMismatchTolerance(t *testing.T) {
	tests := []struct {
		osl, want int
		off       bool
	}{
		{95, 100, false}, {94, 100, true}, {105, 100, false}, {106, 100, true},
		{1950, 2000, false}, {1949, 2000, true}, {2051, 2000, true}, {1, 1, false}, {2, 1, true},
	}
	for _, test := range tests {
		r := reply(1, 10, 20)
		r.TokensOut, r.PlannedOSL = test.osl, test.want
		diff, ok := OSLMismatch(r)
		if got := mismatched(diff, test.want); !ok || got != test.off {
			t.Errorf("%d of %d: %v, want %v", test.osl, test.want, got, test.off)
		}
	}
}

func TestNoValueIsEverNotANumber(t *testing.T) {
	for _, r := range []*record.Record{reasoner(), reply(1, 2), reply(1, 1), {}, {Outcome: record.OK}} {
		for _, v := range Values(r) {
			if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
				t.Errorf("%s is %v", v.Tag, v.Value)
			}
		}
	}
}
