package telemetry

import (
	"bytes"
	"strings"
	"testing"

	"headway/record"
	"headway/report"
)

// Whoever reads the lines takes the same values for counters as whoever writes them.
func TestCountersOfReaders(t *testing.T) {
	var list []Sample
	for q, form := range traits {
		list = append(list, Sample{Engine: VLLM, Quantity: q, Series: string(q), Value: 1})
		if form.form == histogram {
			list[len(list)-1].Part = Sum
			list = append(list, Sample{Engine: VLLM, Quantity: q, Series: string(q), Value: 1, Part: Count})
		}
	}
	for _, q := range []Quantity{Running, Power, MemoryUsed, NVLinkSent, MemoryTotal} { // gauges that add up
		list = append(list, Sample{Engine: VLLM, Quantity: q, Series: string(q), Value: 1})
	}
	var text bytes.Buffer
	l := newLines(SamplerOptions{Clock: record.NewClock(), Lines: &text}, []*sampled{{name: "a"}})
	l.sample(1e9, 0, list)
	l.sample(2e9, 0, list)
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	got, err := report.ReadTimelines(&text, 10)
	if err != nil || len(got.All) != len(list) {
		t.Fatalf("%d of %d timelines, %v", len(got.All), len(list), err)
	}
	for _, x := range got.All {
		_, known := traits[Quantity(x.Name)]
		part := strings.HasSuffix(x.Name, "_sum") || strings.HasSuffix(x.Name, "_count")
		if want := Quantity(x.Name).rises() || !known && part; x.Rate != want {
			t.Errorf("%s is read as a rate: %v", x.Name, x.Rate)
		}
	}
}
