package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/report"
)

// knowing serves a model "m" that refuses other fields than these.
func knowing(t *testing.T, known cluster.KnownFields, without ...string) string {
	t.Helper()
	for path, names := range known {
		known[path] = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(without, n) })
	}
	return simulatedServer(t, cluster.ServerConfig{Model: "m", Known: known,
		Engine: engine.Config{MaxNumSeqs: 256, SpeedupRatio: 10}})
}

// simulatedServer answers until the test ends, at the address that is returned.
func simulatedServer(t *testing.T, c cluster.ServerConfig) (url string) {
	t.Helper()
	srv, err := cluster.NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop() }) // its replies have been read
	return "http://" + addr.String()
}

// Verbs that add fields of their own run on a frontend as Dynamo 1.6's, which
// refuses what it does not know. What it refuses of them is left out, said, and
// stands in the results with what follows.
func TestFieldsThatAreRefused(t *testing.T) {
	t.Parallel()
	common := []string{"--model", "m", "--tokenizer", "builtin", "--isl", "60", "--osl", "4"}
	bench := append([]string{"bench", "--concurrencies", "2", "--wait-for-model-timeout", "9"}, common...)
	router := append([]string{"router", "prefix-ratio", "--requests", "4", "--concurrency", "2",
		"--num-prefix-prompts", "2"}, common...)
	priority := []string{"router", "priority", "--model", "m", "--tokenizer", "builtin", "--requests", "6",
		"--max-isl", "4000", "--max-osl", "20", "--speedup-ratio", "20", "--use-expected-osl"}
	for _, tt := range []struct {
		name    string
		args    []string
		without string
		says    []string
	}{
		{"bench", bench, "", nil},
		{"bench without min_tokens", bench, "min_tokens", []string{"refuses min_tokens (HTTP 400", "lengths differ"}},
		{"bench without both", bench, "min_tokens ignore_eos", []string{"refuses ignore_eos and min_tokens"}},
		{"router", router, "", nil},
		{"router without ignore_eos", router, "ignore_eos", []string{"refuses ignore_eos (HTTP 400"}},
		{"priority", priority, "", nil},
		{"priority without hints", priority, "priority", []string{"refuses nvext.agent_hints.priority (HTTP 400: " +
			"invalid nvext: unknown field `priority`", "both sides of the comparison are the same"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			url := knowing(t, cluster.Dynamo16(), strings.Fields(tt.without)...)
			code, errs, err := until(t.Context(), append(tt.args, "--url", url, "--output-dir", dir)...)
			if code != 0 || err != nil {
				t.Fatalf("exit %d, %v: %s", code, err, errs)
			}
			results := warningsBelow(t, dir)
			for _, want := range tt.says {
				if !strings.Contains(errs, want) || !strings.Contains(results, want) {
					t.Errorf("%q is missing in\n%s\nor in\n%s", want, errs, results)
				}
			}
			if refused := strings.Contains(results, "fields_refused"); refused != (tt.says != nil) {
				t.Errorf("fields_refused in results is %v\n%s", refused, results)
			}
		})
	}
}

// warningsBelow are all results below a folder, with their warnings.
func warningsBelow(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	found := 0
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != report.FileNames("").JSON {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil || !json.Valid(raw) {
			t.Errorf("%s: %v: %s", path, err, raw)
		}
		found++
		all.Write(raw)
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d results below %s: %v", found, dir, err)
	}
	return all.String()
}
