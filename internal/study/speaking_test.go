package study

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestHeaderPrints(t *testing.T) {
	a := headerPrints([]string{"Accept: a", "Authorization: Bearer one", "X-Pass: one"})
	b := headerPrints([]string{"accept:a", "authorization: Bearer two", "x-pass: two"})
	c := headerPrints([]string{"Accept: b"})
	if a["accept"] != b["accept"] || a["authorization"] != b["authorization"] || a["x-pass"] != b["x-pass"] ||
		a["accept"] == c["accept"] {
		t.Errorf("prints %v, %v, %v", a, b, c)
	}
	if text, err := json.Marshal(a); err != nil || bytes.Contains(text, []byte("one")) {
		t.Errorf("%s: %v", text, err)
	}
}

// A name that was made of the time counts without it, or the same command would
// not repeat itself.
func TestStreamName(t *testing.T) {
	for name, stream := range map[string]string{"run-20260102-030405": "run", "run-20260102-030405-3": "run-3",
		"mine-20260102-030405": "mine-20260102-030405", "run": "run"} {
		if got := streamName(name); got != stream {
			t.Errorf("stream of %q: %q, want %q", name, got, stream)
		}
	}
}
