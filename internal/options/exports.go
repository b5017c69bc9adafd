package options

import (
	"net"
	"net/url"
	"strings"

	"headway/internal/fault"
)

// Exports is about who else is told of a run, while it goes and afterwards. All of it
// is off by default, and nothing of it changes what is measured.
type Exports struct {
	OTelURL       string   `name:"otel-url" apart:"" placeholder:"env|URL" help:"Send metrics of the load to an OpenTelemetry collector, by OTLP over HTTP: its address, such as http://localhost:4318, or env for OTEL_EXPORTER_OTLP_ENDPOINT. A collector that fails is a warning."`
	OTelTraces    bool     `name:"otel-traces" apart:"" help:"Send a trace of each request, too, with the attributes that OpenTelemetry has for generative AI. Without --otel-url to OTEL_EXPORTER_OTLP_ENDPOINT."`
	OTelResource  []string `name:"otel-resource-attributes" apart:"" sep:"none" placeholder:"KEY=VALUE,…" help:"Attributes of everything that is sent to OpenTelemetry, beside those of OTEL_RESOURCE_ATTRIBUTES; repeatable."`
	GenAIProvider string   `name:"gen-ai-provider" apart:"" placeholder:"NAME" help:"The attribute gen_ai.provider.name of what is sent to OpenTelemetry. Default: openai, whose API is spoken."`
	MetricsListen string   `name:"metrics-listen" apart:"" placeholder:"ADDR" help:"Serve the client's own metrics for Prometheus at http://ADDR/metrics while headway runs: HOST:PORT, or :PORT for loopback alone."`
	UploadURL     string   `name:"upload-url" apart:"" placeholder:"URL" help:"Send the results to object storage afterwards, by PUT to a presigned address: one archive (tar.zst), or each file where the address has {file}. The local files stay; a failure is a warning."`
	LLMD          bool     `name:"export-llmd-report" apart:"" help:"Write benchmark_report_v0.2.json beside the figures of each run: a Benchmark Report v0.2 of llm-d."`
}

// OTelEnv is --otel-url where the environment has the address.
const OTelEnv = "env"

// The variables of OpenTelemetry with addresses.
const (
	otelEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otelMetrics  = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	otelTraces   = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

// Said says whether anybody is to be told.
func (e *Exports) Said() bool {
	return e.SendsOTel() || e.MetricsListen != "" || e.UploadURL != "" || e.LLMD
}

// SendsOTel says whether anything goes to OpenTelemetry.
func (e *Exports) SendsOTel() bool { return e.OTelURL != "" || e.OTelTraces }

// OTelTargets are the addresses that metrics and traces go to; empty where they are
// not sent.
func (e *Exports) OTelTargets(a Caller) (metrics, traces string) {
	if !e.SendsOTel() {
		return "", ""
	}
	if e.OTelURL == "" || e.OTelURL == OTelEnv {
		base := a.Getenv(otelEndpoint)
		metrics = signalOf(a.Getenv(otelMetrics), base, "metrics")
		traces = signalOf(a.Getenv(otelTraces), base, "traces")
	} else {
		metrics, traces = signalOf("", e.OTelURL, "metrics"), signalOf("", e.OTelURL, "traces")
	}
	if e.OTelURL == "" {
		metrics = ""
	}
	if !e.OTelTraces {
		traces = ""
	}
	return metrics, traces
}

// signalOf is the address of one signal: its own as it stands, or below the one of all.
func signalOf(own, base, signal string) string {
	if own != "" {
		return own
	}
	if base == "" {
		return ""
	}
	if !strings.Contains(base, "://") {
		base = "http://" + base // as aiperf takes it
	}
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	path := strings.TrimRight(u.Path, "/")
	for _, known := range []string{"/v1/metrics", "/v1/traces"} {
		path = strings.TrimSuffix(path, known)
	}
	u.Path = path + "/v1/" + signal
	return u.String()
}

// Faults lists what is wrong with the options.
func (e *Exports) Faults(a Caller, bad *fault.List) {
	e.otelFaults(a, bad)
	if e.MetricsListen != "" {
		_, err := e.ListenAddress()
		bad.When(err != nil, "%s %q: give HOST:PORT, or :PORT for loopback alone", fault.Field("metrics-listen"),
			e.MetricsListen)
	}
	if e.UploadURL != "" {
		u, err := url.Parse(e.UploadURL)
		ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
		bad.When(!ok, "%s: not an address that begins with http:// or https:// (not shown, it may hold a secret)",
			fault.Field("upload-url"))
	}
}

func (e *Exports) otelFaults(a Caller, bad *fault.List) {
	if !e.SendsOTel() {
		bad.Idle(a.Given, true, "otel-resource-attributes gen-ai-provider", fault.Field("otel-url"))
		return
	}
	metrics, traces := e.OTelTargets(a)
	if e.OTelURL != "" {
		targetFault(bad, "otel-url", metrics)
	}
	if e.OTelTraces && (e.OTelURL == "" || metrics != "") {
		targetFault(bad, "otel-traces", traces)
	}
	// Without --otel-url the address of traces is the environment's, too.
	named := e.OTelURL != "" && e.OTelURL != OTelEnv
	bad.When(!named && a.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only "+
		"http/protobuf is spoken; give the collector's HTTP address, mostly at port 4318, with %s",
		fault.Field("otel-url"))
	for _, text := range e.OTelResource {
		_, err := ParseAttributes(text)
		if err != nil {
			bad.Add("%s: %w", fault.Field("otel-resource-attributes"), err)
		}
	}
}

// targetFault is what is wrong with the address of a collector that an option needs.
func targetFault(bad *fault.List, option fault.Field, target string) {
	u, err := url.Parse(target)
	ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
	switch {
	case target == "":
		bad.Add("%s: no address of a collector: %s is not set; give one with %s", option, otelEndpoint,
			fault.Field("otel-url"))
	case !ok:
		bad.Add("%s: the address of the collector is not one of HTTP, such as http://localhost:4318; gRPC is not "+
			"spoken", option)
	}
}

// ParseAttributes reads KEY=VALUE,…, with values escaped as in a URL.
func ParseAttributes(text string) (map[string]string, error) {
	all := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, fault.New("one of its attributes is not KEY=VALUE")
		}
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		all[key] = value
	}
	return all, nil
}

// ListenAddress is where metrics are served: loopback where no host is named.
func (e *Exports) ListenAddress() (string, error) {
	host, port, err := net.SplitHostPort(e.MetricsListen)
	if err != nil {
		return "", err
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return "", err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
