//go:build linux

package lane

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// engineScript is a frontend over a worker as one engine of a search. headway ends
// what it started by the mark in its environment.
const engineScript = `set -e
export DYN_FILE_KV="$3/discovery"
"$4" -m dynamo.mocker --model-path "$5" --model-name "$2" &
exec "$4" -m dynamo.frontend --http-host 127.0.0.1 --http-port "$1"
`

// A search whose candidates are Dynamo deployments measures all of them, and
// leaves none behind.
func (g *rig) testSearch(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "engine.sh")
	write(t, script, engineScript)
	env := g.dynamo.Environ("")
	out := filepath.Join(dir, "out")
	command := fmt.Sprintf("env %s sh %s {port} {served_name} {dir} %s %s", strings.Join(env, " "), script,
		g.dynamo.Python(), g.dynamo.Model())
	code, printed := g.run(t, "profile", "sla", "--on", "process", "--model", "qwen3-32b", "--tokenizer",
		g.dynamo.Model(), "--gpus", "1", "--max-kv-tokens", "2048", "--isl", "256", "--osl", "16", "--ttft", "2000",
		"--itl", "200", "--repeats", "1", "--no-interpolation", "--engine-stop-grace", "10", "--engine-command",
		command,
		"--output-dir", out, "--max-lag", "1h")
	if code != 0 {
		t.Fatalf("profile sla ended with %d:\n%s", code, printed)
	}
	for _, tag := range []string{"prefill_1gpus_TP1", "decode_1gpus_TP1"} {
		var o struct{ Status string }
		data, err := os.ReadFile(filepath.Join(out, tag, "outcome.json"))
		if err == nil {
			err = json.Unmarshal(data, &o)
		}
		if err != nil || o.Status != "measured" {
			t.Errorf("%s: status %q (%v)\n%s", tag, o.Status, err, printed)
		}
	}
	if left := running(t, script, out); len(left) > 0 {
		t.Errorf("processes of the search still run: %s", strings.Join(left, "; "))
	}
}

// running are the command lines of processes that name one of the files.
func running(t *testing.T, files ...string) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, environ := range all {
		data, err := os.ReadFile(environ)
		if err != nil {
			continue // it has ended, or is another user's
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(environ), "cmdline"))
		for _, f := range files {
			if strings.Contains(string(data)+string(command), f) {
				found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
			}
		}
	}
	return found
}
