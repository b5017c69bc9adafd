package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/record"
)

// Of a reply after 100 tokens of prompt, in blocks of 64, the blocks that it
// fills and the next prompt has are counted, but for its last token, for which
// nothing was computed.
func TestRepliesComputedAnew(t *testing.T) {
	turn := func(n, in, out int) record.Record {
		return record.Record{Session: "a", Turn: n, Outcome: record.OK, TokensIn: in, TokensOut: out}
	}
	failed := turn(1, 500, 0)
	failed.Outcome = record.Failed
	for _, c := range []struct {
		name  string
		turns []record.Record
		want  int64
	}{
		{"two blocks", []record.Record{turn(0, 100, 93), turn(1, 300, 5)}, 128},
		{"the last token has no keys", []record.Record{turn(0, 100, 92), turn(1, 300, 5)}, 64},
		{"the next prompt ends there", []record.Record{turn(0, 100, 92), turn(1, 192, 5)}, 64},
		{"a history without the reply", []record.Record{turn(0, 100, 300), turn(1, 200, 5)}, 0},
		{"after a failure", []record.Record{turn(0, 100, 93), failed, turn(2, 900, 5)}, 0},
		{"three turns", []record.Record{turn(0, 64, 65), turn(1, 192, 65), turn(2, 400, 1)}, 128},
	} {
		p := newReplies(64)
		for i := range c.turns {
			if err := p.Take(&c.turns[i]); err != nil {
				t.Fatal(err)
			}
		}
		if p.anew != c.want {
			t.Errorf("%s: %d tokens, want %d", c.name, p.anew, c.want)
		}
	}
}

// A result of conversations says that replies are not cached, and how much that
// is; one without later turns has nothing to say.
func TestSessionsSayWhatRepliesCost(t *testing.T) {
	dir := t.TempDir()
	run := func(name, lines string) string {
		path := filepath.Join(dir, name+".jsonl")
		if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, errs := runHeadway("router", "sessions", "--input-dataset", path, "--workers", "1", "--router-modes", "kv", "--seed", "1", "-d", filepath.Join(dir, name), "--json")
		if code != exitDone {
			t.Fatalf("exit %d: %s", code, errs)
		}
		return out
	}
	// 129 tokens said in the first turn, 640 + 129 + 31 asked in the second.
	got := run("talk", `{"session_id": "a", "input_length": 640, "output_length": 129}
{"session_id": "a", "input_length": 31, "output_length": 5}
`)
	if !strings.Contains(got, "no replies: 8.9 % of the prompt tokens") { // 128 / (640 + 800)
		t.Errorf("the share of replies is missing: %s", got)
	}
	if !strings.Contains(got, `"1 session with 2 turns`) || !strings.Contains(got, `"1 turn has the replies`) {
		t.Errorf("one is not counted as one: %s", got)
	}
	if got := run("single", `{"input_length": 640, "output_length": 129}`); strings.Contains(got, "no replies") {
		t.Errorf("no turn follows another, and yet: %s", got)
	}
}
