package options

import "testing"

func TestNamesOfLoad(t *testing.T) {
	load, apart := NamesOfLoad(), NamesApart()
	for name, want := range map[string]bool{
		"isl": true, "std": true, "input-file": true, "num-prefix-prompts": true, "arrival-smoothness": true,
		"prefill-concurrency": true, "trace-block-size": true, "priority-values": true,
		"request-count": false, "benchmark-duration": false, "random-seed": false, "warmup-request-count": false,
		"max-num-seqs": false, "router-mode": false, "output-dir": false, "transport": false,
	} {
		if load[name] != want {
			t.Errorf("%s is of the load: %v, want %v", name, load[name], want)
		}
	}
	for name, want := range map[string]bool{
		"output-dir": true, "artifact-dir": true, "quiet": true, "api-key": true, "isl": false, "router-mode": false,
		"max-num-seqs": false,
	} {
		if apart[name] != want {
			t.Errorf("%s changes no measurement: %v, want %v", name, apart[name], want)
		}
	}
}
