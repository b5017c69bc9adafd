package report

import (
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
)

// counted is a run of 100 replies whose server counted these.
func counted(moved map[string]float64) *Report {
	c := metric.NewCollector(metric.Options{Streaming: true})
	for i := range 100 {
		r := &record.Record{Index: i, Outcome: record.OK, Streamed: true, Start: record.Time(1 + i*1e6), TokensIn: 50,
			TokensOut: 2, Usage: map[string]int{"prompt_tokens": 50, "completion_tokens": 2}}
		for k := range 2 {
			at := r.Start + record.Time(30e6+k*10e6)
			r.Arrivals = append(r.Arrivals, record.Arrival{At: at, Kind: record.Content, Tokens: 1})
			r.Done = at
		}
		_ = c.Take(r)
	}
	rep := &Report{Result: c.Result()}
	rep.Run.Servers = &record.ServerCounters{Sources: []record.ServerSource{{Engine: "vllm", Moved: moved}}}
	return rep
}

func serverText(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteConsole(&b, ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The client's figures stand beside the server's, with what lies between them.
func TestClientAndServer(t *testing.T) {
	r := counted(map[string]float64{"requests": 100, "prompt_tokens": 5000, "generated_tokens": 200, "ttft_sum_s": 2,
		"ttft_count": 100, "itl_sum_s": 0.9, "itl_count": 100, "queue_sum_s": 0.5, "queue_count": 100})
	text := serverText(t, r)
	for _, want := range []string{"Client and server", "Of the TTFT, 10.0 ms lie outside of vLLM",
		"inside, 5.00 ms are its queue", "Output tokens"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	if w := r.CountWarnings(); w != nil {
		t.Errorf("%+v", w)
	}
}

// Counts that do not add up are a warning, unless requests failed or a warm-up is among
// them; few requests more or less are none.
func TestCountsApart(t *testing.T) {
	for name, tt := range map[string]struct {
		requests, tokens float64
		change           func(*Report)
		want             string
	}{
		"same":      {requests: 100, tokens: 200},
		"one more":  {requests: 101, tokens: 202},
		"others":    {requests: 150, tokens: 300, want: "requests 100 and 150; output tokens 200 and 300"},
		"half":      {requests: 50, tokens: 100, want: "requests 100 and 50.0"},
		"failed":    {requests: 50, tokens: 100, change: func(r *Report) { r.Result.Failed = 1 }},
		"warm-up":   {requests: 150, tokens: 300, change: func(r *Report) { r.Run.Warmup = &record.Warmup{} }},
		"cut":       {requests: 50, tokens: 100, change: func(r *Report) { r.Run.Cancelled = true }},
		"no tokens": {requests: 50},
	} {
		r := counted(map[string]float64{"requests": tt.requests, "generated_tokens": tt.tokens})
		if tt.change != nil {
			tt.change(r)
		}
		w := r.CountWarnings()
		if tt.want == "" && w != nil || tt.want != "" && (len(w) != 1 || !strings.Contains(w[0].Text, tt.want)) {
			t.Errorf("%s: %+v", name, w)
		}
	}
}

// What one of two workers does not count is not known of both.
func TestServersTogether(t *testing.T) {
	r := counted(map[string]float64{"requests": 60, "generated_tokens": 120})
	r.Run.Servers.Sources = append(r.Run.Servers.Sources, record.ServerSource{Engine: "vllm",
		Moved: map[string]float64{"generated_tokens": 80}})
	s := r.serverSide()
	if s.moved["generated_tokens"] != 200 || len(s.moved) != 1 {
		t.Errorf("%+v", s)
	}
}
