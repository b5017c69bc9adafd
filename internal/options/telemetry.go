package options

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"headway/internal/fault"
)

// Counters is about what servers count themselves.
type Counters struct {
	ServerMetrics   []string `name:"server-metrics" apart:"" placeholder:"URL" help:"Pages of metrics (Prometheus) to read before, during and after each measurement, of vLLM, SGLang, TensorRT-LLM, Dynamo, llm-d or node exporter; repeatable. Without a path: /metrics. Default: /metrics of the endpoint."`
	NoServerMetrics bool     `name:"no-server-metrics" apart:"" help:"Read no metrics of servers. The share of cached prompt tokens is then known only where replies say it."`
}

// Telemetry is about what servers, GPUs and hosts say of themselves while they are
// measured.
type Telemetry struct {
	Counters
	Sampling
	// Pages were found and not given: those of workers behind an endpoint.
	Pages []Page `kong:"-"`
}

// Page is where something tells its metrics.
type Page struct{ Name, URL string }

// Sampling is about GPUs and hosts, and about how often all of it is read.
type Sampling struct {
	GPUTelemetry   []string `name:"gpu-telemetry" apart:"" placeholder:"SOURCE" help:"Where GPUs are read during each measurement: addresses of DCGM exporters, or nvidia-smi (pynvml is the same) for those of this host; repeatable. Default, for an endpoint on this host: DCGM at localhost:9400 and :9401, else nvidia-smi where it is installed."`
	NoGPUTelemetry bool     `name:"no-gpu-telemetry" apart:"" help:"Read no GPUs. Energy is then not known."`
	SampleInterval Seconds  `name:"telemetry-interval" apart:"" default:"1" placeholder:"TIME" help:"How often servers, GPUs and hosts are read during a measurement (s); 0 reads servers before and after it only, and nothing else."`
}

// Faults lists what is wrong with the options.
func (t *Telemetry) Faults(bad *fault.List) {
	t.Counters.Faults(bad)
	t.Sampling.Faults(bad)
}

// Faults lists what is wrong with the options.
func (t *Sampling) Faults(bad *fault.List) {
	bad.When(t.NoGPUTelemetry && len(t.GPUTelemetry) > 0, "%s and %s: give one of them",
		fault.Field("gpu-telemetry"), fault.Field("no-gpu-telemetry"))
	bad.Check(t.SampleInterval == 0 || time.Duration(t.SampleInterval) >= leastInterval, "telemetry-interval",
		time.Duration(t.SampleInterval), fmt.Sprintf("0 or at least %v", leastInterval))
	bad.When(t.SampleInterval == 0 && len(t.GPUTelemetry) > 0, "%s with %s 0: GPUs are read at an interval; leave one "+
		"of the two out", fault.Field("gpu-telemetry"), fault.Field("telemetry-interval"))
	for _, source := range t.GPUTelemetry {
		t.gpuFaults(bad, source)
	}
}

// Faults lists what is wrong with the options.
func (c *Counters) Faults(bad *fault.List) {
	bad.When(c.NoServerMetrics && len(c.ServerMetrics) > 0, "%s and %s: give one of them",
		fault.Field("server-metrics"), fault.Field("no-server-metrics"))
	for _, page := range c.ServerMetrics {
		u, err := url.Parse(MetricsURL(page))
		ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
		bad.Check(ok, "server-metrics", page, "an address such as http://host:8000/metrics")
	}
}

// leastInterval is how often sources may be read at most.
const leastInterval = 100 * time.Millisecond

func (t *Sampling) gpuFaults(bad *fault.List, source string) {
	switch {
	case source == "amdsmi" || strings.HasSuffix(source, ".csv"):
		bad.Add("%s %s: not built; give addresses of exporters, or nvidia-smi", fault.Field("gpu-telemetry"), source)
	case source == Dashboard || LocalGPUs(source):
	default:
		u, err := url.Parse(MetricsURL(source))
		ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
			(strings.Contains(source, ":") || strings.Contains(source, ".") || source == "localhost")
		bad.Check(ok, "gpu-telemetry", source, "nvidia-smi, or an address such as http://host:9400/metrics")
	}
}

// Dashboard asks aiperf for a display; here it says nothing.
const Dashboard = "dashboard"

// LocalGPUs says that a source is the GPUs of this host: pynvml is aiperf's way to them.
func LocalGPUs(source string) bool { return source == "nvidia-smi" || source == "pynvml" }

// MetricsURL is an address with its scheme, as aiperf takes them: host:port is http.
func MetricsURL(page string) string {
	if !strings.Contains(page, "://") {
		return "http://" + page
	}
	return page
}
