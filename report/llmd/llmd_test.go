package llmd

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/report"
	"headway/report/internal/fixture"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// The goldens are held against llm-d's own schema by `make test-llmd`.
func TestGolden(t *testing.T) {
	for name, m := range map[string]fixture.Made{
		"run.json":      {C: 4, N: 60, Seed: 1},
		"failures.json": {C: 4, N: 60, Seed: 2, Failures: true, Warmup: true},
	} {
		run, result := m.Run(t)
		var got bytes.Buffer
		if err := Write(&got, &report.Report{Run: run, Result: result, Secrets: report.NewRedactor()}); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"sk-0123456789abcdef", "hunter22"} {
			if strings.Contains(got.String(), secret) {
				t.Errorf("%s has the secret %s", name, secret)
			}
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.String()); d != "" {
			t.Errorf("%s differs (-update rewrites it):\n%s", path, d)
		}
	}
}
