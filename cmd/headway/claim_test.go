package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cli"
	"headway/internal/filelock"
)

// Every verb that writes a result folder leaves one alone that another writes to.
func TestFolderOfAnother(t *testing.T) {
	for name, args := range map[string][]string{
		"out":              {"run", "--simulated", "--request-count", "1", "--artifact-dir", "out"},
		"out/b":            {"bench", "--benchmark-name", "b", "--concurrencies", "1", "--output-dir", "out"},
		"out/prefix-ratio": {"router", "prefix-ratio", "--requests", "2", "--output-dir", "out"},
		"out/sim": {"sim", "replay", "--request-count", "1", "--concurrency", "1", "--osl", "2",
			"--artifact-dir", "out/sim"},
		"out/sla": {"profile", "sla", "--model", "qwen3-32b", "--output-dir", "out/sla"},
		"out/end": {"profile", "endpoint", "--mode", "prefill", "--model", "m", "--url", "http://127.0.0.1:1",
			"--tokenizer", "builtin", "--num-gpus", "1",
			"--max-context-length", "2000", "--work-dir", "out/end"},
		"out/rec": {"report", "--recover", "out/rec"},
	} {
		t.Run(args[0]+" "+args[1], func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.MkdirAll(name, 0o755); err != nil {
				t.Fatal(err)
			}
			lock, err := filelock.LockDir(name, "headway of another")
			if err != nil {
				t.Fatal(err)
			}
			code, _, errs := runHeadway(args...)
			if code != cli.Failed || !strings.Contains(errs, "is in use") ||
				!strings.Contains(errs, "headway of another") {
				t.Errorf("code %d: %s", code, errs)
			}
			left, err := filepath.Glob(filepath.Join(name, "*"))
			if err != nil || len(left) != 1 { // the lock itself
				t.Errorf("it left %v (%v)", left, err)
			}
			if err := lock.Release(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
