package options

import (
	"strings"
	"testing"

	"headway/internal/fault"
)

// Addresses are completed as aiperf and the variables of OpenTelemetry have them.
func TestOTelTargets(t *testing.T) {
	environ := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://base:4318/otlp/",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://t/x"}
	for _, tt := range []struct {
		name            string
		exports         Exports
		environ         []string
		metrics, traces string
	}{
		{"off", Exports{}, environ, "", ""},
		{"named", Exports{OTelURL: "http://h:4318"}, environ, "http://h:4318/v1/metrics", ""},
		{"both", Exports{OTelURL: "h:4318", OTelTraces: true}, nil, "http://h:4318/v1/metrics",
			"http://h:4318/v1/traces"},
		{"whole path", Exports{OTelURL: "https://h/a/v1/metrics", OTelTraces: true}, nil, "https://h/a/v1/metrics",
			"https://h/a/v1/traces"},
		{"environment", Exports{OTelURL: OTelEnv, OTelTraces: true}, environ, "http://base:4318/otlp/v1/metrics",
			"http://t/x"},
		{"traces alone", Exports{OTelTraces: true}, environ, "", "http://t/x"},
	} {
		metrics, traces := tt.exports.OTelTargets(Caller{Environ: tt.environ})
		if metrics != tt.metrics || traces != tt.traces {
			t.Errorf("%s: %q and %q, want %q and %q", tt.name, metrics, traces, tt.metrics, tt.traces)
		}
	}
}

// Faults say what to give, and show no secret.
func TestExportsFaults(t *testing.T) {
	for want, e := range map[string]Exports{
		"OTEL_EXPORTER_OTLP_ENDPOINT is not set": {OTelURL: OTelEnv},
		"not one of HTTP":                        {OTelURL: "grpc://h:4317"},
		"is not KEY=VALUE":                       {OTelURL: "h", OTelResource: []string{"a=b,c"}},
		"give HOST:PORT":                         {MetricsListen: "9464"},
		"not shown":                              {UploadURL: "s3://bucket/key?sig=very-secret"},
	} {
		var bad fault.List
		e.Faults(Caller{}, &bad)
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%+v: %v, want %s", e, err, want)
		}
	}
}

// A collector that speaks gRPC is not sent HTTP, whichever option takes its address
// from the environment.
func TestGRPCCollector(t *testing.T) {
	c := Caller{Environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://h:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}}
	for _, tt := range []struct {
		exports Exports
		refused bool
	}{
		{Exports{OTelURL: OTelEnv}, true}, {Exports{OTelTraces: true}, true},
		{Exports{OTelURL: "h:4318", OTelTraces: true}, false}, {Exports{}, false},
	} {
		var bad fault.List
		tt.exports.Faults(c, &bad)
		if err := bad.Err(); (err != nil && strings.Contains(err.Error(), "only http/protobuf")) != tt.refused {
			t.Errorf("%+v: %v", tt.exports, err)
		}
	}
}

func TestListenAddress(t *testing.T) {
	for given, want := range map[string]string{":9464": "127.0.0.1:9464", "0.0.0.0:1": "0.0.0.0:1",
		"[::1]:80": "[::1]:80"} {
		if got, err := (&Exports{MetricsListen: given}).ListenAddress(); err != nil || got != want {
			t.Errorf("%s: %s, %v", given, got, err)
		}
	}
}
