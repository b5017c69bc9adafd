package fit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/record"
)

// kept puts a file into a folder.
func kept(t *testing.T, text string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// records is the text of a run of one request that was answered.
func records(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	w, err := record.NewWriter(&text, record.Header{Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &record.Record{Outcome: record.OK, Streamed: true, Start: 1, Ack: 5e6, Done: 2e7, PlannedISL: 10, TokensIn: 10,
		TokensOut: 2, TokensReasoning: -1,
		Arrivals: []record.Arrival{
			{At: 1e7, Kind: record.Content, Tokens: 1},
			{At: 2e7, Kind: record.Content, Tokens: 1},
		}}
	if err := errors.Join(w.Take(r), w.Close(record.Trailer{})); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

const journal = `{"version":1,"phase":"prefill","settings":{}}
{"prefill":{"isl":100,"ttft_s":{"mean":0.02},"server_isl":100}}
`

// The runs of a profile's points are not loads, too: their prompts were cached.
func TestRunsOfPointsAreNoLoads(t *testing.T) {
	dir := t.TempDir()
	kept(t, journal, dir, "prof", "prefill_points.jsonl")
	kept(t, records(t), dir, "prof", "prefill_points", "isl_100", "repeat_1", "records.jsonl")
	kept(t, records(t), dir, "c8", "records.jsonl")
	loads, points, err := ReadFolders([]string{dir})
	if err != nil || len(loads) != 1 || len(points) != 1 {
		t.Fatalf("%d loads, %d points: %v", len(loads), len(points), err)
	}
	if loads[0].Name != filepath.Join(dir, "c8") {
		t.Errorf("the load is %s", loads[0].Name)
	}
	run := filepath.Join(dir, "prof", "prefill_points", "isl_100")
	if loads, _, err := ReadFolders([]string{run}); err != nil || len(loads) != 1 {
		t.Errorf("named by itself it has %d loads: %v", len(loads), err)
	}
}

// What is held out of a folder that contains it is not fitted, and points of a
// profile judge nothing.
func TestHeldOut(t *testing.T) {
	dir := t.TempDir()
	kept(t, records(t), dir, "all", "c8", "records.jsonl")
	kept(t, records(t), dir, "all", "c64", "records.jsonl")
	kept(t, journal, dir, "prof", "prefill_points.jsonl")
	var a Asked
	err := a.Read([]string{filepath.Join(dir, "all")}, []string{filepath.Join(dir, "all", "..", "all", "c64")})
	if err != nil || len(a.HeldOut) != 1 || len(a.Loads) != 1 || filepath.Base(a.Loads[0].Name) != "c8" {
		t.Errorf("%d loads to fit and %d held out of two: %v", len(a.Loads), len(a.HeldOut), err)
	}
	if _, err := ReadLoads([]string{filepath.Join(dir, "prof")}); err == nil {
		t.Error("a profile is a load")
	}
}
