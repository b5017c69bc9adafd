package synth

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"headway/internal/chart"
	"headway/workload"
)

func TestPictures(t *testing.T) {
	trace, err := Analyze(conversation(t), 512)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := Analyze([]workload.Row{{InputLength: 5}}, 512)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Preset("azure-code")
	if err != nil {
		t.Fatal(err)
	}
	code, err := Analyze(draw(t, m, Options{Requests: 2000}), 512)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*Analysis{"conversation": trace, "bare": bare, "code": code} {
		for kind, c := range map[string]chart.Chart{"arrivals": a.ArrivalsChart("Trace " + name), "lengths": a.LengthsChart("Trace " + name), "reuse": a.ReuseChart("Trace " + name)} {
			var png bytes.Buffer
			if err := c.WritePNG(&png); err != nil {
				t.Errorf("%s of %s: %v", kind, name, err)
			}
			if dir := os.Getenv("SYNTH_PICTURES"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+"-"+kind+".png"), png.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
