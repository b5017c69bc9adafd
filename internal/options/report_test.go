package options

import (
	"strings"
	"testing"
)

// Every fault is said, by field.
func TestReportFaults(t *testing.T) {
	r := Report{NumGPUs: -1, Write: true, OutputDir: "x", JSON: true, Format: "markdown", Overwrite: true,
		Goals: []string{"?"}}
	_, err := r.Objectives()
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{"num-gpus -1", "write and output-dir: give one", "json and format markdown: give one",
		"overwrite is of recover", "objective: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	r = Report{Recover: true, NumGPUs: 2, Format: "terminal"}
	if _, err := r.Objectives(); err == nil || !strings.Contains(err.Error(), "recover takes none of write") {
		t.Errorf("%v", err)
	}
}
