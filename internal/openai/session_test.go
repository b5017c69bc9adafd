package openai

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"headway/record"
	"headway/workload"
)

// turnsOf asks the turns of one session and returns the bodies that were sent.
func turnsOf(t *testing.T, c Config, replies []string, prompts []workload.Prompt) []string {
	t.Helper()
	bodies, next := make(chan string, len(replies)), make(chan string, len(replies))
	for _, r := range replies {
		next <- r
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, <-next)
	})
	c.URLs, c.Streaming = []string{s.URL}, true
	c.Extra = []byte(`{"stream_options":{"include_usage":false}}`)
	target := newTestTarget(t, c)
	var got []string
	for i, p := range prompts {
		r := ask(t.Context(), target, workload.Request{Index: i, Session: "s", Turn: i, Turns: len(prompts), Prompt: p})
		b := <-bodies
		if want := Texts([]byte(b)); r.Text.Prompt != want {
			t.Errorf("turn %d: texts %q, want those of the body %q", i, r.Text.Prompt, want)
		}
		got = append(got, b)
	}
	if len(target.sessions.open) != 0 {
		t.Errorf("%d sessions left after the last turn", len(target.sessions.open))
	}
	return got
}

func body0(messages string) string {
	return `{"messages":[` + messages + `],"model":"m","stream":true,"stream_options":{"include_usage":false}}`
}

func TestTurns(t *testing.T) { overBoth(t, testTurns) }

func testTurns(t *testing.T, via string) {
	tools := `data: {"choices":[{"delta":{"content":"let me"}}]}` + "\n\n" +
		`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"look",` +
		`"arguments":""}}]}}]}` + "\n\n" +
		`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}},{"index":1,` +
		`"id":"c2","function":{"name":"see","arguments":"{}"}}]}}]}` + "\n\n" +
		`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},` +
		`"finish_reason":"tool_calls"}]}` + "\n\n" + endMarker
	reasoned := `data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}` + "\n\n" + chunk("B") +
		chunk("C") + endMarker
	got := turnsOf(t, Config{Transport: via}, []string{reasoned, tools, chunk("D") + endMarker}, []workload.Prompt{
		{System: "be good", Text: "one"},
		{Text: "two"},
		{Messages: []workload.Message{{Raw: []byte(`{"role":"tool","tool_call_id":"c1",` +
			`"content":"found"}`)}, {Role: "user", Content: "three"}}},
	})
	m := `{"role":"system","content":"be good"},{"role":"user","content":"one"}`
	want := []string{body0(m)}
	m += `,{"role":"assistant","content":"BC"},{"role":"user","content":"two"}`
	want = append(want, body0(m))
	m += `,{"role":"assistant","content":"let me","tool_calls":[` +
		`{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"q\":1}"}},` +
		`{"id":"c2","type":"function","function":{"name":"see","arguments":"{}"}}]}` +
		`,{"role":"tool","tool_call_id":"c1","content":"found"},{"role":"user","content":"three"}`
	want = append(want, body0(m))
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("turn %d: %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestTurnsOfCompletions(t *testing.T) { overBoth(t, testTurnsOfCompletions) }

func testTurnsOfCompletions(t *testing.T, via string) {
	reply := `data: {"choices":[{"text":"B"}]}` + "\n\n" + endMarker
	got := turnsOf(t, Config{Transport: via, Type: TypeCompletions}, []string{reply, reply},
		[]workload.Prompt{{Text: "A"}, {Text: "C"}})
	if want := `{"prompt":"A\nB\nC","model":"m","stream":true,` +
		`"stream_options":{"include_usage":false}}`; got[1] != want {
		t.Errorf("second turn %s, want %s", got[1], want)
	}
}

func TestSessionEndsWithAFailure(t *testing.T) { overBoth(t, testSessionEndsWithAFailure) }

func testSessionEndsWithAFailure(t *testing.T, via string) {
	got := turnsOf(t, Config{Transport: via},
		[]string{chunk("B") + endMarker, "event: error\n\n", chunk("D") + endMarker},
		[]workload.Prompt{{Text: "one"}, {Text: "two"}, {Text: "three"}})
	if want := body0(`{"role":"user","content":"three"}`); got[2] != want {
		t.Errorf("turn after a failure %s, want %s", got[2], want)
	}
}

func TestWarmupSessionsAreOthers(t *testing.T) { overBoth(t, testWarmupSessionsAreOthers) }

func testWarmupSessionsAreOthers(t *testing.T, via string) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"w"}}]}`)
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}})
	first := workload.Request{Session: "s", Turns: 2, Prompt: workload.Prompt{Text: "a"}}
	warm := first
	warm.Phase = workload.Warmup
	a, b := ask(t.Context(), target, first), ask(t.Context(), target, warm)
	if a.CorrelationID == b.CorrelationID || len(target.sessions.open) != 2 {
		t.Errorf("one session for both phases: %s, %s, %d open", a.CorrelationID, b.CorrelationID,
			len(target.sessions.open))
	}
	second := first
	second.Turn = 1
	if r := ask(t.Context(), target, second); r.Text.Prompt != "a w a" || r.CorrelationID != a.CorrelationID ||
		r.RequestID == a.RequestID {
		t.Errorf("second turn %q, session %s", r.Text.Prompt, r.CorrelationID)
	}
	other, err := NewTarget(Config{Transport: via, URLs: []string{s.URL}, Models: []string{"m"}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if r := ask(t.Context(), other, first); r.CorrelationID == a.CorrelationID || r.Outcome != record.OK {
		t.Error(fmt.Sprint("two targets have the same ids: ", r.CorrelationID, r.Failure))
	}
}
