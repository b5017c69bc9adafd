package options

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/router"
	"headway/internal/twin"
)

// Whose scheduler is simulated follows from a twin, too: options of SGLang's have an
// effect on a twin of SGLang, and those that it does without have none.
func TestIdleWithTwin(t *testing.T) {
	of := func(kind engine.Type) string {
		f := twin.File{Version: twin.FileVersion, Model: twin.Usual,
			Engine: twin.Engine{Type: kind, MaxNumSeqs: 256, MaxNumBatchedTokens: 8192, Blocks: 1000, BlockSize: 16}}
		text, err := f.JSON()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "twin.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return "twin:" + path
	}
	for _, c := range []struct {
		timing, engine, option string
		idle                   bool
	}{
		{of(engine.SGLang), "", "sglang-schedule-policy", false},
		{of(engine.SGLang), "", "watermark", true},
		{of(engine.SGLang), "vllm", "sglang-schedule-policy", true},
		{of(engine.VLLM), "", "sglang-schedule-policy", true},
		{of(engine.VLLM), "", "watermark", false},
		{of(engine.VLLM), "sglang", "sglang-schedule-policy", false},
		{of(engine.TRTLLM), "", "preemption-mode", true},
		{"", "", "sglang-schedule-policy", true},
		{"twin:missing.json", "", "watermark", false},
	} {
		r := usual()
		r.Timing, r.Engine = c.timing, c.engine
		var bad fault.List
		r.Cluster.Idle(&bad, map[string]bool{c.option: true}, r.Mode == router.KV)
		if idle := len(bad) > 0; idle != c.idle {
			t.Errorf("--%s with --timing %s --engine-type %q: idle is %t, want %t (%v)", c.option, c.timing, c.engine,
				idle, c.idle, slices.Clone(bad))
		}
	}
}
