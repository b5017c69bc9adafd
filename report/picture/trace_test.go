package picture

import (
	"io"
	"slices"
	"testing"

	"headway/workload"
	"headway/workload/synth"
)

// Every trace can be drawn: one with times and blocks, one with neither.
func TestTraces(t *testing.T) {
	m, err := synth.Preset("azure-code")
	if err != nil {
		t.Fatal(err)
	}
	var timed []workload.Row
	for d, err := range m.Draw(synth.Options{Requests: 2000}) {
		if err != nil {
			t.Fatal(err)
		}
		timed = append(timed, d.Row)
	}
	shared := []workload.Row{{InputLength: 1000, HashIDs: []int64{1, 2}}, {InputLength: 1020, HashIDs: []int64{1, 3}}}
	for _, c := range []struct {
		rows []workload.Row
		want []string
	}{
		{timed, []string{"lengths", "arrivals"}}, {shared, []string{"lengths", "prefix_reuse"}},
		{[]workload.Row{{InputLength: 5}}, []string{"lengths"}},
	} {
		a, err := synth.Analyze(c.rows, 512)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range OfTrace(a, "x") {
			names = append(names, p.Name)
			if err := p.WriteSVG(io.Discard); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("pictures %v, want %v", names, c.want)
		}
	}
}
