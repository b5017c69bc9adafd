package parquet

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

const sampled = `{"headway_telemetry":1,"origin":"2026-11-30T18:44:28.5Z","interval_s":1,"sources":["a","nvidia-smi"]}
{"t_s":0.5,"phase":"begin"}
{"t_s":1,"source":0,"kind":"server","engine":"vllm","values":{"running":8,"generated_tokens":73}}
{"t_s":1.25,"source":1,"kind":"gpu","engine":"nvidia_smi","of":"0","values":{"power":512.25}}
{"t_s":2,"source":0,"error":"no answer within 2s"}
{"t_s":2,"source":9,"values":{"power":1}}
{"t_s":
{"t_s":3,"phase":"end"}
`

// The table has what the lines have: each value, each fault, both phases.
func TestTelemetry(t *testing.T) {
	var b bytes.Buffer
	skipped, err := Telemetry(&b, strings.NewReader(sampled))
	if err != nil || skipped != 2 {
		t.Fatalf("%d skipped, %v", skipped, err)
	}
	rows := readTable(t, b.Bytes())
	if len(rows) != 6 {
		t.Fatalf("%d rows: %v", len(rows), rows)
	}
	for i, want := range []map[string]any{
		{"t_s": .5, "phase": "begin", "time": 1796064269000000.},
		{"t_s": 1., "source": "a", "kind": "server", "engine": "vllm", "name": "generated_tokens", "value": 73.},
		{"t_s": 1., "source": "a", "kind": "server", "engine": "vllm", "name": "running", "value": 8.},
		{"source": "nvidia-smi", "kind": "gpu", "of": "0", "name": "power", "value": 512.25},
		{"t_s": 2., "source": "a", "error": "no answer within 2s"},
		{"t_s": 3., "phase": "end"},
	} {
		for name, v := range want {
			if rows[i][name] != v {
				t.Errorf("row %d: %s is %v, want %v", i, name, rows[i][name], v)
			}
		}
	}
	if _, there := rows[0]["value"]; there || rows[4]["name"] != nil {
		t.Errorf("what is missing is not null: %v", rows)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := f.Lookup("interval_s"); !ok || v != "1" {
		t.Errorf("the interval is %q", v)
	}
}

// What is no telemetry is said, and a full disk once.
func TestTelemetryFaults(t *testing.T) {
	if _, err := Telemetry(&bytes.Buffer{}, strings.NewReader("{}\n")); err == nil {
		t.Error("a file without a head was read")
	}
	_, err := Telemetry(fullDisk{}, strings.NewReader(sampled))
	if err == nil || !strings.HasPrefix(err.Error(), "writing the table of telemetry: ") {
		t.Error(err)
	}
}
