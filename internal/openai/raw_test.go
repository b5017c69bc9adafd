package openai

import (
	"strings"
	"testing"
)

// What goes over the wire is kept where it is asked for: the events of a stream, the
// one body of another reply, and that of a refusal.
func TestKeepRaw(t *testing.T) { overBoth(t, testKeepRaw) }

func testKeepRaw(t *testing.T, via string) {
	const whole = `{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}`
	for reply, want := range map[string]string{
		headSSE + chunk("a") + finishChunk + endMarker:                                           "[DONE]",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + whole: whole,
		"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope":                                "nope",
	} {
		target := newTestTarget(t, Config{Transport: via, URLs: []string{rawServer(t, script(reply))}, Streaming: true,
			KeepRaw: true})
		r := ask(t.Context(), target, say("x"))
		if r.Raw == nil || !strings.Contains(string(r.Raw.Body), `"content":"x"`) || len(r.Raw.Parts) == 0 {
			t.Fatalf("%q: raw %+v", reply, r.Raw)
		}
		if last := r.Raw.Parts[len(r.Raw.Parts)-1]; strings.TrimSpace(string(last.Data)) != want || !last.At.Known() {
			t.Errorf("%q: the last part is %q at %d, want %q", reply, last.Data, last.At, want)
		}
	}
	plain := rawServer(t, script(headSSE+chunk("a")+endMarker))
	target := newTestTarget(t, Config{Transport: via, URLs: []string{plain}, Streaming: true})
	if r := ask(t.Context(), target, say("x")); r.Raw != nil {
		t.Errorf("kept without being asked to: %+v", r.Raw)
	}
}
