package twin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/internal/engine"
)

// whole is a file that can be read.
func whole() *File {
	return &File{Version: FileVersion, Model: Usual,
		Engine: Engine{Type: engine.VLLM, MaxNumSeqs: 256, MaxNumBatchedTokens: 8192, Blocks: 1000, BlockSize: 16}}
}

// Numbers that no fit gives are refused by the name that they have in the file.
func TestReadRefuses(t *testing.T) {
	text, err := whole().JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ old, put, says string }{
		"whole":      {"", "", ""},
		"torn":       {string(text[100:]), "", "not all of it"},
		"newer":      {`"headway_twin": 1`, `"headway_twin": 2`, "version 2"},
		"no twin":    {`"headway_twin": 1`, `"x": 1`, "not a twin.json"},
		"negative":   {`"weights_ms": 5`, `"weights_ms": -5`, "model.weights_ms -5: must be from 0.05 to 500"},
		"null":       {`"weights_ms": 5`, `"weights_ms": null`, "model.weights_ms 0"},
		"no engine":  {`"vllm"`, `"mocker-1.4"`, "engine.type"},
		"no batch":   {`"max_num_seqs": 256,`, "", "engine.max_num_seqs 0"},
		"no blocks":  {`"blocks": 1000`, `"blocks": -1`, "engine.blocks -1"},
		"covariance": {`"range"`, `"uncertainty": {"covariance": [[1]]}, "range"`, "fit the twin again"},
	} {
		path := filepath.Join(t.TempDir(), "twin.json")
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), tt.old, tt.put, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		case err != nil && strings.Contains(err.Error(), "--"):
			t.Errorf("%s: %v names an option", name, err)
		}
	}
}

// What simulated figures rest on: the lowest level, the widest intervals, and what is
// otherwise than on the server.
func TestBasis(t *testing.T) {
	f := whole()
	says := func(text string, change func(*cluster.Config)) {
		t.Helper()
		c := cluster.Defaults()
		change(&c)
		f.Apply(&c)
		if b := c.RestsOn(); b.Code != "twin_basis" || !strings.Contains(b.Text, text) {
			t.Errorf("%+v, want %q", b, text)
		}
	}
	none := func(*cluster.Config) {}
	says("no intervals", none)
	f.Fitted = []Judged{{Figures: []Compared{
		{Figure: "a", Simulated: 1, Interval: &Interval{Low: 0, High: 3}},
		{Figure: "b", Simulated: 1, Interval: &Interval{Low: 0.95, High: 1.05, Level: Level}},
	}}}
	says("without a level: too few blocks calibrate it) within a ±150 %, b ±5 %", none)
	f.Fitted[0].Figures[0].Interval.Level = Level
	says("in 90 % of cases", none)
	says("known beyond that", func(c *cluster.Config) { c.Engine.BlockSize = 64 })
	says("otherwise than on its server: the speed, prefill workers", func(c *cluster.Config) {
		c.PrefillWorkers, c.Engine.SpeedupRatio = 1, 10
	})
	says("the size of the KV cache", func(c *cluster.Config) { c.Engine.NumGPUBlocks = 100 })
	f.Fitted[0].Beyond = []string{"far"}
	says("no intervals", none)
}
