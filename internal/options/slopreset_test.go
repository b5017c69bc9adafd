package options

import (
	"strings"
	"testing"

	"headway/internal/fault"
)

// Every preset is two objectives that can be read; an unknown one names all.
func TestSLOPresets(t *testing.T) {
	for _, name := range SLOPresets() {
		var bad fault.List
		all := Objectives(&bad, name, []string{"ttft p50 < 1s"})
		if err := bad.Usage(); err != nil || len(all) != 3 || all[0].Stat != "p99" || all[2].Stat != "p50" {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
	var bad fault.List
	all := Objectives(&bad, "mlperf-llama2-70b-interactive", nil)
	if len(all) != 2 || all[0].Bound != 0.45 || all[1].Bound != 0.04 {
		t.Errorf("%+v", all)
	}
	Objectives(&bad, "mlperf", nil)
	if err := bad.Usage(); err == nil || !strings.Contains(err.Error(), "mlperf-deepseek-r1-server") {
		t.Errorf("%v", err)
	}
}
