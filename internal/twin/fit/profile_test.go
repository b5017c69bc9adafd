package fit

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The points of a profile that did not end are read from its journal, in the
// server's tokens.
func TestJournalsOfProfilesAreRead(t *testing.T) {
	dir := t.TempDir()
	text := `{"version":1,"phase":"decode","settings":{}}
{"decode":{"isl":100,"osl":500,"requests":8,"itl_s":{"mean":0.0045},"server_isl":110,"warnings":["the server counted 0.9 times as many reply tokens as the tokenizer here"]}}
{"decode":{"isl":100,"osl":500,"requests":9,"failed":"no reply"}}
`
	if err := os.WriteFile(filepath.Join(dir, "decode_points.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loads, points, err := ReadFolders([]string{dir})
	if err != nil || len(loads) != 0 || len(points) != 1 {
		t.Fatalf("%v, %v, %v", loads, points, err)
	}
	if p := points[0]; p.Sequences != 8 || p.ISL != 110 || math.Abs(p.ITL-5) > 1e-9 {
		t.Errorf("%+v", p)
	}
}

// A profile that was ended before its first point has none.
func TestJournalsWithoutPoints(t *testing.T) {
	dir := t.TempDir()
	kept(t, "{\"version\":1,\"phase\":\"decode\",\"settings\":{}}\n", dir, "decode_points.jsonl")
	if all, err := ReadPoints(filepath.Join(dir, "decode_points.jsonl")); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

// A profile of which only the tables were kept is read from those; a table whose
// journal is there is not read twice.
func TestTablesOfProfilesAreRead(t *testing.T) {
	dir := t.TempDir()
	kept(t, "isl,osl,requests,itl_ms,server_isl,failed,warnings\n"+
		"100,500,8,4.5,110,,the server counted 0.9 times as many reply tokens as the tokenizer here\n"+
		"100,500,9,,,no reply,\n", dir, "decode_points.csv")
	kept(t, "isl,ttft_ms,server_isl,failed\n100,19.5,,\n", dir, "prefill_points.csv")
	_, points, err := ReadFolders([]string{dir})
	if err != nil || len(points) != 2 {
		t.Fatalf("%v, %v", points, err)
	}
	if p := points[0]; p.Sequences != 8 || p.ISL != 110 || math.Abs(p.ITL-5) > 1e-9 {
		t.Errorf("%+v", p)
	}
	if p := points[1]; p.Sequences != 1 || p.ISL != 100 || p.TTFT != 19.5 {
		t.Errorf("%+v", p)
	}
	kept(t, "{\"version\":1,\"phase\":\"decode\",\"settings\":{}}\n", dir, "decode_points.jsonl")
	if _, points, err := ReadFolders([]string{dir}); err != nil || len(points) != 1 {
		t.Errorf("beside a journal: %v, %v", points, err)
	}
}
