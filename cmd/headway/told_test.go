package main

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/router"
)

// dynamo serves a model "m" as Dynamo 1.6 does: several workers behind a router in
// mode kv, fields that it does not know refused.
func dynamo(t *testing.T, workers int) string {
	t.Helper()
	cfg := cluster.Defaults()
	cfg.Workers, cfg.Router.Mode = workers, router.KV
	cfg.Engine = engine.Config{MaxNumSeqs: 256, SpeedupRatio: 10}
	return simulatedServer(t, cluster.ServerConfig{Model: "m", Known: cluster.Dynamo16(), Cluster: &cfg})
}

// What a Dynamo frontend tells of its workers is asked for and stands in the
// results of every verb that loads an endpoint.
func TestWorkersOfDynamo(t *testing.T) {
	t.Parallel()
	common := []string{"--model", "m", "--tokenizer", "builtin", "--isl", "60", "--osl", "4"}
	for name, args := range map[string][]string{
		"bench":  append([]string{"bench", "--concurrencies", "4", "--request-count", "12"}, common...),
		"no eos": append([]string{"bench", "--concurrencies", "4", "--no-ignore-eos"}, common...),
		"run":    append([]string{"run", "--request-count", "12", "--streaming", "--concurrency", "3"}, common...),
		"router": append([]string{"router", "prefix-ratio", "--requests", "12", "--concurrency", "4"}, common...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			folder := map[string]string{"run": "--artifact-dir"}[name]
			args = append(args, "--url", dynamo(t, 3), cmp.Or(folder, "--output-dir"), filepath.Join(dir, "out"))
			code, errs, err := until(t.Context(), args...)
			if code != 0 || err != nil {
				t.Fatalf("exit %d, %v: %s", code, err, errs)
			}
			results := warningsBelow(t, dir)
			for _, want := range []string{`"imbalance"`, `"name": "2"`, `"server_time_to_first_token"`} {
				if !strings.Contains(results, want) {
					t.Errorf("%s is missing in\n%.3000s", want, results)
				}
			}
			records := below(t, dir, "records.jsonl")
			if !strings.Contains(records, `"server_told":{"prefill_worker":"`) {
				t.Errorf("nothing is told in\n%.2000s", records)
			}
		})
	}
}

// below is the text of all files of a name below a folder.
func below(t *testing.T, dir, name string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != name {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(raw)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return all.String()
}
