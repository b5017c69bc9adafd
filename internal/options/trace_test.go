package options

import (
	"strings"
	"testing"

	"headway/internal/fault"
)

// Every fault of the options of traces is said, by field.
func TestTraceFaults(t *testing.T) {
	var bad fault.List
	TraceInput{}.Faults(&bad, true)
	if bad == nil {
		t.Error("a block size of 0 is none")
	}
	TraceInput{BlockSize: 1}.Faults(&bad, false)
	TraceInput{File: "a", Input: "b", BlockSize: 1}.Faults(&bad, false)
	ModelSource{Model: "m", Preset: "p"}.Faults(&bad, "")
	MadeFile{JSON: true}.Faults(&bad, "-")
	Synthesis{PrefixLen: 1, PromptLen: 1, PrefixRoots: 1, Arrivals: "empirical"}.Faults(&bad)
	Synthesis{Speedup: 1, PrefixLen: 1, PromptLen: 1, PrefixRoots: 1, MinISL: 10, MaxISL: 5,
		Arrivals: "empirical"}.Faults(&bad)
	_, err := (&Conversion{File: "a", Input: "b", Spread: "odd", Type: "odd", Limit: -1}).Conversion()
	bad.Join(err.(fault.UsageError).Err)
	for _, want := range []string{"no trace: give a file", "a and input-file b: give one trace",
		"a trace, fit and preset: give one",
		"json: standard output has the file itself; name one with output-file", "speedup-ratio 0", "min-isl 10",
		"give one file to convert", "spread-timestamps: ", "custom-dataset-type: ", "num-prompt -1", "speed-ratio 0"} {
		if !strings.Contains(bad.Err().Error(), want) {
			t.Errorf("%q is not in\n%v", want, bad.Err())
		}
	}
	if _, err := (ModelSource{Preset: "nothing"}).Read(); err == nil ||
		!strings.Contains(err.Error(), "mooncake-conversation") {
		t.Errorf("%v", err)
	}
}
