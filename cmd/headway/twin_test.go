package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cli"
)

// answering is a server that gives every request this reply.
func answering(t *testing.T, status int, reply string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(reply)) // the client may have gone
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// A calibration on a server that is not fit for one ends with its first probe, says
// why, and writes no twin.
func TestTwinFitRefusesServers(t *testing.T) {
	t.Parallel()
	const text = `data: {"choices":[{"delta":{"content":"a"}}]}` + "\n\n"
	for name, tt := range map[string]struct{ url, says string }{
		"no usage": {answering(t, 200, strings.Repeat(text, 16)+"data: [DONE]\n\n"), "--token-count client"},
		"ignores max_tokens": {answering(t, 200, strings.Repeat(text, 3)+
			`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}`+"\n\ndata: [DONE]\n\n"),
			"another length than was asked for"},
		"fails":   {answering(t, 500, `{"error":{"message":"out of memory"}}`), "out of memory"},
		"refuses": {"http://127.0.0.1:1", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			code, _, errs := runHeadway("twin", "fit", "--url", tt.url, "--model", "m", "--tokenizer", "builtin",
				"--work-dir", filepath.Join(dir, "probes"), "--output-file", filepath.Join(dir, "twin.json"))
			if code != cli.Failed || !strings.Contains(errs, tt.says) {
				t.Errorf("exit code %d: %s", code, errs)
			}
			if _, err := os.Stat(filepath.Join(dir, "twin.json")); err == nil {
				t.Error("a twin is written")
			}
		})
	}
}

// Options of the live part do nothing with folders alone, and something is needed.
func TestTwinFitOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, says string }{
		{"twin fit", "--url"},
		{"twin fit folder --resume", "--resume"},
		{"twin fit --url http://127.0.0.1:1", "--model"},
		{"twin fit --url http://127.0.0.1:1 --model m --max-load-time 5", "--max-load-time"},
		{"twin check twin.json", "--url"},
		{"twin check twin.json folder --url http://127.0.0.1:1 --model m", "one of them"},
	} {
		code, _, errs := runHeadway(strings.Fields(tt.args)...)
		if code != cli.Usage || !strings.Contains(errs, tt.says) {
			t.Errorf("%s: exit code %d: %s", tt.args, code, errs)
		}
	}
}
