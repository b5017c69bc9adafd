package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"headway/internal/cli"
	"headway/internal/options"
)

// wicked is text that clears the screen, sets the clipboard, writes over the
// line, adds a line of its own and turns the direction of reading round.
const wicked = "\x1b[2J\x1b]52;c;aGk=\x07\rover\nheadway: forged\u009b1A\u202edrow\x9b\x7f"

// TestNothingSteersTheTerminal feeds such text from every source of a run and
// looks at everything that people read.
func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	inJSON := `\u001b[2J\u001b]52;c;aGk=\u0007\rover\nheadway: forged\u009b1A\u202edrow`
	for name, reply := range map[string]http.HandlerFunc{
		"message": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"message":"%s"}}`, inJSON)
		},
		"body": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, wicked, http.StatusInternalServerError) },
		"event": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "event: error\ndata: {\"message\":\"%s\"}\n\n", inJSON)
		},
		"finish_reason": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w,
				"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"abort %s\"}]}\n\ndata: "+
					"[DONE]\n\n", inJSON)
		},
		"reply": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w,
				"data: {\"choices\":[{\"delta\":{\"content\":\"%s\"},\"finish_reason\":\"%s\"}]}\n\ndata: [DONE]\n\n",
				inJSON, inJSON)
		},
		"models": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"data":[{"id":"%s"}]}`, inJSON) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(reply)
			defer srv.Close()
			dir := filepath.Join(t.TempDir(), "out\x1b[31m\u202e")
			args := []string{"headway", "run", "-m", "model\x1b[2J\u202e", "--tokenizer", "builtin", "-u", srv.URL,
				"--streaming", "--request-count", "2", "--artifact-dir", dir, "-v"}
			if name == "models" {
				args = append(args, "--wait-for-model-timeout", "1ms", "--wait-for-model-mode", "models")
			}
			var out, errs bytes.Buffer
			Main(cli.App{Args: args, Stdout: &out, Stderr: &errs, Exit: func(int) {}})
			steersNothing(t, "standard output", out.Bytes())
			steersNothing(t, "standard error", errs.Bytes())
			seen := 0
			for _, pattern := range []string{"*.txt", "*.csv"} {
				files, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", pattern))
				seen += len(files)
				for _, f := range files {
					text, err := os.ReadFile(f)
					if err != nil {
						t.Fatal(err)
					}
					steersNothing(t, f, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
				}
			}
			if seen == 0 && name != "models" {
				t.Errorf("no file was looked at; standard error: %s", errs.String())
			}
		})
	}
}

// steersNothing fails where a text for people steers a terminal, or has a line that
// somebody else put in.
func steersNothing(t *testing.T, what string, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Errorf("%s is not UTF-8: %q", what, text)
	}
	for _, r := range string(text) {
		if r != '\n' && r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e) {
			t.Errorf("%s has %U: %q", what, r, text)
			return
		}
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "headway: forged") {
			t.Errorf("%s has a line of the server's: %q", what, text)
		}
	}
}

// The folder that is named after the model has a name that can be listed.
func TestFolderOfModel(t *testing.T) {
	var c runCmd
	c.Model, c.EndpointType = []string{"org/m\x1b[2J\u202e\nx"}, "chat"
	if got, want := c.Folder(&options.Plan{}), filepath.Join("artifacts",
		"org_m [2J x-openai-chat-concurrency1"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A note holds what candidates log, what a server calls its metrics and what
// files are called.
func TestNotesAreLines(t *testing.T) {
	var b bytes.Buffer
	a := cli.App{Args: []string{"headway"}, Stdout: io.Discard, Stderr: &b}.Fenced()
	a.Note("%s and %v: %d", wicked, fmt.Errorf("reading %s", wicked), 7)
	steersNothing(t, "a note", b.Bytes())
	if n := bytes.Count(b.Bytes(), []byte("\n")); n != 1 || !strings.Contains(b.String(), "forged") {
		t.Errorf("%d lines: %q", n, b.String())
	}
}

// What is said of a malformed command line does not repeat its secrets.
func TestMalformedOptionsAreNotEchoed(t *testing.T) {
	t.Parallel()
	const key = "hunter22-secret"
	for _, args := range [][]string{
		{"--extra-inputs", "{\"a\":\"" + key + "\""}, {"--extra-inputs", key}, {"-H", "X-Pass:", key}, {"-H", key},
		{"--api-key", key, "--no-such-option"}, {"--header=X-JWT: " + key, key},
		{"-H", "X-Pass: " + key, "--concurrency", key},
	} {
		var out, errs bytes.Buffer
		Main(cli.App{Args: append([]string{"headway", "run", "-m", "m", "-u", "http://127.0.0.1:1"}, args...),
			Stdout: &out, Stderr: &errs, Exit: func(int) {}})
		if strings.Contains(out.String()+errs.String(), key) {
			t.Errorf("%q: %s%s", args, out.String(), errs.String())
		}
		if errs.Len() == 0 {
			t.Errorf("%q: nothing was said", args)
		}
	}
}
