package metric

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"headway/record"
)

// tenfold is a reply of eleven of our tokens, one every 10 ms, which the server
// counts as some other number; 0 sends no usage.
func tenfold(server int) *record.Record {
	at := make([]float64, 11)
	for i := range at {
		at[i] = 20 + 10*float64(i)
	}
	r := reply(10, at...)
	if server > 0 {
		r.Usage = map[string]int{"prompt_tokens": 128, "completion_tokens": server}
	}
	return r
}

func meanOf(t *testing.T, r *Result, tag string) float64 {
	t.Helper()
	s, ok := r.Summary(tag)
	if !ok {
		t.Fatalf("no %s", tag)
	}
	return s.Mean
}

// The whole run is of the server's counts or of ours, whatever the order of
// replies with usage and without.
func TestAutoDecidesOverTheRun(t *testing.T) {
	aborted := failed(1, 5, record.Failure{Class: record.ClassAborted})
	for _, tt := range []struct {
		name     string
		source   TokenSource
		list     []*record.Record
		want     TokenSource
		osl, itl float64
	}{
		{"all have usage", TokensAuto, []*record.Record{tenfold(21), tenfold(31), aborted}, TokensServer, 26,
			(0.005 + 1./300) / 2},
		{"none has", TokensAuto, []*record.Record{tenfold(0), tenfold(0), aborted}, TokensClient, 11, 0.01},
		{"the last has none", TokensAuto, []*record.Record{tenfold(21), tenfold(31), tenfold(0)},
			TokensClient, 11, 0.01},
		{"the first has none", TokensAuto, []*record.Record{tenfold(0), tenfold(21), tenfold(31)},
			TokensClient, 11, 0.01},
		{"client", TokensClient, []*record.Record{tenfold(21), tenfold(31)}, TokensClient, 11, 0.01},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := collect(Options{Streaming: true, Tokens: tt.source}, tt.list...)
			if r.Tokens.Source != tt.want || r.Tokens.Asked != tt.source {
				t.Errorf("tokens %+v", r.Tokens)
			}
			if osl, itl := meanOf(t, r, "output_sequence_length"), meanOf(t, r, "inter_token_latency"); osl != tt.osl ||
				math.Abs(itl-tt.itl) > 1e-12 {
				t.Errorf("OSL %v, ITL %v, want %v, %v", osl, itl, tt.osl, tt.itl)
			}
			isl := 100.
			if tt.want == TokensServer {
				isl = 128
			}
			if got := meanOf(t, r, "input_sequence_length"); got != isl {
				t.Errorf("ISL %v, want %v", got, isl)
			}
		})
	}
}

// Usage that counts only one side, or nothing, is none.
func TestAutoWantsBothCounts(t *testing.T) {
	for _, usage := range []map[string]int{
		{"completion_tokens": 21},
		{"prompt_tokens": 128},
		{"prompt_tokens": 128, "completion_tokens": 0},
		{"prompt_tokens": 0, "completion_tokens": 21},
		{},
	} {
		odd := tenfold(0)
		odd.Usage = usage
		if r := collect(Options{Streaming: true, Tokens: TokensAuto}, tenfold(21),
			odd); r.Tokens.Source != TokensClient || r.Tokens.Reported != 1 {
			t.Errorf("%v: %+v", usage, r.Tokens)
		}
	}
	if r := collect(Options{Tokens: TokensAuto},
		failed(1, 5, record.Failure{Class: record.ClassReset})); r.Tokens.Source != TokensClient {
		t.Errorf("a run without a reply is of the %s's counts", r.Tokens.Source)
	}
}

// All that does not rest on tokens is the same by either count, and what
// compares the two compares them still.
func TestAutoKeepsTheRest(t *testing.T) {
	list := []*record.Record{tenfold(21), tenfold(13), failed(1, 5, record.Failure{Class: record.ClassReset})}
	list[0].Finish = "length"
	auto := collect(Options{Streaming: true, Tokens: TokensAuto, Concurrency: 2}, list...)
	client := collect(Options{Streaming: true, Tokens: TokensClient, Concurrency: 2}, list...)
	for _, tag := range []string{"time_to_first_token", "request_latency", "inter_chunk_latency",
		"usage_completion_tokens",
		"usage_completion_tokens_diff_pct", "usage_prompt_tokens_diff_pct", "error_isl"} {
		a, ok := auto.Summary(tag)
		b, ok2 := client.Summary(tag)
		x, err := json.Marshal([]float64{a.Sum, a.Mean, a.Min, a.Max, float64(a.Count)})
		y, err2 := json.Marshal([]float64{b.Sum, b.Mean, b.Min, b.Max, float64(b.Count)})
		if !ok || !ok2 || err != nil || err2 != nil || string(x) != string(y) {
			t.Errorf("%s: auto %s, client %s", tag, x, y)
		}
	}
	if auto.OK != 2 || auto.Failed != 1 || !slices.Equal(auto.Finish, client.Finish) ||
		auto.Tokens.Output != client.Tokens.Output {
		t.Errorf("auto %+v, client %+v", auto.Tokens, client.Tokens)
	}
	if got, want := tell(auto.Whole).Tokens/tell(client.Whole).Tokens, 34./22; math.Abs(got-want) > 1e-9 {
		t.Errorf("steady tokens by the server's counts are %v of ours, want %v", got, want)
	}
}

// What counting here does to ITL is measured and said.
func TestClientCountsSayWhatItMatters(t *testing.T) {
	text := func(r *Result) string {
		for _, w := range r.Warnings {
			if w.Code == "client_token_count" {
				return w.Text
			}
		}
		return ""
	}
	r := collect(Options{Streaming: true}, tenfold(21), tenfold(11))
	const want = "tokens are counted by this client: the server's output counts differ by 45.5 % on average and " +
		"make ITL 25.0 % shorter; " +
		"--use-server-token-count takes them"
	if got := text(r); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r = collect(Options{Streaming: true, Tokens: TokensAuto}, tenfold(21), tenfold(0))
	if got := text(r); !strings.HasSuffix(got, "; 1 of 2 replies have none") {
		t.Errorf("%q", got)
	}
	for _, r := range []*Result{collect(Options{Streaming: true}, tenfold(11), tenfold(11)),
		collect(Options{Streaming: true}, tenfold(0)),
		collect(Options{Streaming: true, Tokens: TokensAuto}, tenfold(21))} {
		if got := text(r); got != "" {
			t.Errorf("warns without a reason: %q", got)
		}
	}
}

// A difference of one or two tokens may be the end mark, a greater one is not.
func TestEndMark(t *testing.T) {
	for by, mark := range map[int]bool{1: true, 2: true, -2: true, 3: false, 40: false, -5: false} {
		r := collect(Options{Streaming: true}, tenfold(11+by), tenfold(11+by))
		i := slices.IndexFunc(r.Warnings, func(w record.Warning) bool { return w.Code == "completion_offset" })
		if i < 0 || strings.Contains(r.Warnings[i].Text, "end mark") != mark {
			t.Errorf("%+d: %v", by, r.Warnings)
		}
	}
}

// Live shows the figures that the result will have.
func TestAutoLive(t *testing.T) {
	c := NewCollector(Options{Streaming: true, Tokens: TokensAuto})
	for range 3 {
		if err := c.Take(tenfold(21)); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Live().ITL50; math.Abs(got-0.005) > 0.0001 {
		t.Errorf("live ITL %v, want 5 ms", got)
	}
}
