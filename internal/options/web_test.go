package options

import "testing"

// A page is of this host alone unless another one is named.
func TestWebAddress(t *testing.T) {
	for _, c := range []struct {
		text, want string
		open, bad  bool
	}{
		{text: "true", want: "127.0.0.1:0"},
		{text: "false", want: ""},
		{text: "8080", want: "127.0.0.1:8080"},
		{text: "0", want: "127.0.0.1:0"},
		{text: ":8080", want: "127.0.0.1:8080"},
		{text: "localhost:8080", want: "localhost:8080"},
		{text: "[::1]:8080", want: "[::1]:8080"},
		{text: "0.0.0.0:8080", want: "0.0.0.0:8080", open: true},
		{text: "[::]:8080", want: "[::]:8080", open: true},
		{text: "gpu-7:8080", want: "gpu-7:8080", open: true},
		{text: "gpu-7", bad: true},
		{text: "127.0.0.1:70000", bad: true},
		{text: "results.jsonl", bad: true},
	} {
		var w WebAddress
		err := w.UnmarshalText([]byte(c.text))
		if (err != nil) != c.bad || err == nil && (string(w) != c.want || w.Open() != c.open) {
			t.Errorf("%q: %q, open %v, %v", c.text, w, w.Open(), err)
		}
	}
	for next, want := range map[string]bool{"8080": true, "0.0.0.0:80": true, "trace.jsonl": false, "-q": false,
		"true": false, "--web": false} {
		if new(WebAddress).MayFollow(next) != want {
			t.Errorf("--web %s: want %v", next, want)
		}
	}
}
