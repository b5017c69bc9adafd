package deploy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"headway/internal/profile"
	"headway/internal/telemetry"
)

// What an engine's processes are told by DYN_SYSTEM_PORT is read beside its own page,
// and of the host's GPUs those that the candidate was given.
func TestPagesOfProcesses(t *testing.T) {
	t.Parallel()
	page := "dynamo_component_gpu_cache_usage_percent{dp_rank=\"0\"} 0.25\n"
	for gpu := range 4 {
		page += fmt.Sprintf("DCGM_FI_DEV_POWER_USAGE{gpu=\"%d\"} 300\n", gpu)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(s.Close)
	bench, _, _ := testBench(t, "works", func(c *ProcessConfig) {
		c.Environ = append(c.Environ, systemPort+"="+s.URL[strings.LastIndex(s.URL, ":")+1:])
		c.GPUs = []string{"2", "3"}
		c.Endpoint.Sampling.Telemetry.SampleInterval = 1e9
	})
	e, err := bench.Open(t.Context(), tp(1))
	if err != nil {
		t.Fatal(err)
	}
	ran, err := e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: smallPlan(4)}, &countSink{})
	if err != nil || ran.Telemetry == nil {
		t.Fatalf("%+v, %v", ran, err)
	}
	var told []string
	for _, x := range ran.Telemetry.Subjects {
		if x.Kind != telemetry.KindHost && x.Source == s.URL {
			told = append(told, x.Engine+" "+x.Of)
		}
	}
	slices.Sort(told)
	if want := []string{"dcgm 2", "dynamo_worker "}; !slices.Equal(told, want) {
		t.Errorf("%q of %+v; wanted %q", told, ran.Telemetry.Subjects, want)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
