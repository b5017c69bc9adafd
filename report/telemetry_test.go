package report

import (
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
)

// gpuRun is a run of 10 s in which two GPUs took 8000 J and made 4000 tokens.
func gpuRun(second *record.TelemetryEnergy) *Report {
	r := &Report{Result: &metric.Result{OK: 20}}
	r.Result.Scalars = append(r.Result.Scalars, metric.Scalar{Value: 4000}, metric.Scalar{Value: 10})
	r.Result.Scalars[0].Metric.Tag = "total_output_tokens"
	r.Result.Scalars[1].Metric.Tag = "good_request_count"
	r.Run.Telemetry = &record.Telemetry{Interval: 1, Seconds: 10,
		Sources: []record.TelemetrySource{{Name: "http://g", Samples: 20, Missed: 1, LateMost: 0.002, CPU: 0.001}},
		Subjects: []record.TelemetrySubject{
			{Kind: "gpu", Engine: "dcgm", Of: "0", Source: "http://g", Gauges: map[string]record.TelemetryGauge{
				"power": {Mean: 400, Max: 500}, "utilization": {Mean: 0.97, Max: 1}},
				Energy: &record.TelemetryEnergy{Joules: 5000, By: record.EnergyCounter}},
			{Kind: "gpu", Engine: "dcgm", Of: "1", Source: "http://g", Gauges: map[string]record.TelemetryGauge{
				"power": {Mean: 300, Max: 500}}, Energy: second},
			{Kind: "server", Engine: "vllm", Source: "http://a", Counters: map[string]record.TelemetryCounter{
				"prefix_hits": {Total: 30}, "prefix_queries": {Total: 120},
				"generated_tokens": {Total: 4000, Rate: 400}},
				Histograms: map[string]record.TelemetryHistogram{"server_ttft": {Count: 20, Mean: 0.05}}},
			{Kind: "host", Engine: "node_exporter", Source: "this host", Counters: map[string]record.TelemetryCounter{
				"cpu_time": {Total: 20}, "cpu_idle": {Total: 15}}},
		}}
	return r
}

// Energy is that of all GPUs, by token, request and good request; of one that does not
// tell, nothing is said of all.
func TestEnergyOfARun(t *testing.T) {
	e, ok := gpuRun(&record.TelemetryEnergy{Joules: 3000, By: record.EnergyCounter}).Energy()
	if want := (Energy{GPUs: 2, Joules: 8000, Counted: true, Tokens: 4000, Requests: 20, Good: 10}); !ok || e != want {
		t.Errorf("%+v", e)
	}
	if e, _ := gpuRun(&record.TelemetryEnergy{Joules: 3000, By: record.EnergyIntegrated}).Energy(); e.Counted {
		t.Errorf("%+v", e)
	}
	if e, ok := gpuRun(nil).Energy(); ok {
		t.Errorf("%+v", e)
	}
	r := gpuRun(&record.TelemetryEnergy{Joules: 3000, By: record.EnergyCounter})
	r.Run.Telemetry.Subjects[0].Device, r.Run.Telemetry.Subjects[1].Device = "GPU-1", "GPU-2"
	for _, again := range []*record.TelemetryEnergy{{Joules: 2900, By: record.EnergyIntegrated}, nil} {
		s := record.TelemetrySubject{Kind: "gpu", Engine: "nvidia_smi", Of: "1", Device: "GPU-2", Energy: again}
		r.Run.Telemetry.Subjects = append([]record.TelemetrySubject{s}, r.Run.Telemetry.Subjects...)
		if e, ok := r.Energy(); !ok || e.GPUs != 2 || e.Joules != 8000 || !e.Counted {
			t.Errorf("a GPU of two sources: %+v", e)
		}
	}
	if _, ok := (&Report{Result: &metric.Result{}}).Energy(); ok {
		t.Error("energy of no GPU")
	}
}

// The tables have the columns of which something is known.
func TestTelemetryTables(t *testing.T) {
	r := gpuRun(&record.TelemetryEnergy{Joules: 3000, By: record.EnergyCounter})
	d := &Document{}
	telemetryParts(d, func(of string) string { return of }, nil, []workerRun{{nil, r}})
	samplingParts(d, []workerRun{{nil, r}})
	var b strings.Builder
	if err := d.Write(&b, ConsoleOptions{Markdown: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| vLLM http://a |  25.0 |    400 |    50.0 |", "|  0 http://g |   97.0 |     400 |     500 |  5,000 |",
		"| this host |  25.0 |",
		"Energy: 8,000 J of 2 GPUs, by their own counters; 2.00 J for each output token; 400 J for each request; " +
			"800 J for each good request",
		"Telemetry: 20 samples of 1 sources every 1 s, 1 missed, at most 2.00 ms late; " +
			"reading them took 0.1 % of a core",
	} {
		if !strings.Contains(squeezed(b.String()), squeezed(want)) {
			t.Errorf("without %q:\n%s", want, b.String())
		}
	}
}

// squeezed is text without repeated blanks.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }
