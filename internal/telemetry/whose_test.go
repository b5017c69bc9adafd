package telemetry

import "testing"

// Every engine whose counters are read is known by all of their names.
func TestWhose(t *testing.T) {
	want := map[string]string{VLLM: "vLLM", SGLang: "SGLang", TensorRTLLM: "TensorRT-LLM", DynamoFrontend: "Dynamo",
		DynamoRouter: "Dynamo"}
	for _, e := range engines {
		if want[e.name] == "" {
			continue // a host or a GPU
		}
		for _, r := range e.rules {
			for _, name := range r.names {
				if got := Whose(name); got != want[e.name] || got == "" {
					t.Errorf("%s of %s is of %q, want %q", name, e.name, got, want[e.name])
				}
			}
		}
	}
	if got := Whose("go_gc_duration_seconds"); got != "" {
		t.Errorf("a metric of Go's is of %q", got)
	}
}
