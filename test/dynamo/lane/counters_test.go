//go:build linux

package lane

import "testing"

func TestCountsAreRead(t *testing.T) {
	var c Counts
	for _, line := range []string{
		`# HELP dynamo_frontend_requests_total Total number of LLM requests processed`,
		`dynamo_frontend_requests_total{endpoint="chat_completions",error_type="",model="m",request_type="stream",` +
			`status="success"} 375`,
		`dynamo_frontend_requests_total{endpoint="chat_completions",error_type="",model="m",request_type="unary",` +
			`status="success"} 9`,
		`dynamo_frontend_requests_total{endpoint="chat_completions",error_type="validation",model="m",` +
			`request_type="unary",status="error"} 2`,
		`dynamo_frontend_input_sequence_tokens_sum{model="m"} 305987`,
		`dynamo_frontend_input_sequence_tokens_count{model="m"} 384`,
		`dynamo_frontend_output_tokens_total{model="m"} 43424`,
		`dynamo_frontend_inflight_requests{model="m"} 1`,
		`dynamo_frontend_tokenize_seconds_sum 0.023180475`,
	} {
		if err := c.read(line); err != nil {
			t.Fatal(err)
		}
	}
	want := Counts{Streamed: 375, Whole: 9, Failed: 2, Open: 1, Prompt: 305987, Output: 43424}
	if c != want {
		t.Errorf("read %+v, want %+v", c, want)
	}
	if err := c.read(`dynamo_frontend_output_tokens_total{model="m"} many`); err == nil {
		t.Error("a value that is no number was read")
	}
}
