package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cli"
)

// A result of conversations whose replies are not cached says so, and how much that
// is; where they are, the second turn finds the first reply. One without later turns has nothing to say.
func TestSessionsSayWhatRepliesCost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(name, lines string, more ...string) string {
		path := filepath.Join(dir, name+".jsonl")
		if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, errs := runHeadway(append([]string{"router", "sessions", "--input-dataset", path, "--workers", "1",
			"--router-modes", "kv", "--seed", "1", "-d", filepath.Join(dir, name), "--json"}, more...)...)
		if code != cli.Done {
			t.Fatalf("exit %d: %s", code, errs)
		}
		return out
	}
	// 129 tokens said in the first turn, 640 + 129 + 31 asked in the second.
	const talk = `{"session_id": "a", "input_length": 640, "output_length": 129}
{"session_id": "a", "input_length": 31, "output_length": 5}
`
	got := run("talk", talk, "--no-enable-reply-caching")
	if !strings.Contains(got, "no replies: 8.9 % of the prompt tokens") { // 128 / (640 + 800)
		t.Errorf("the share of replies is missing: %s", got)
	}
	if !strings.Contains(got, `"1 session with 2 turns`) || !strings.Contains(got, `"1 turn has the replies`) {
		t.Errorf("one is not counted as one: %s", got)
	}
	if got := run("kept", talk); strings.Contains(got, "no replies") || !strings.Contains(got, `"hit_rate": 0.533`) {
		t.Errorf("replies are kept, and yet: %s", got) // (640 + 128) / (640 + 800)
	}
	if got := run("single", `{"input_length": 640, "output_length": 129}`); strings.Contains(got, "no replies") {
		t.Errorf("no turn follows another, and yet: %s", got)
	}
}
