package study

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headway/internal/telemetry"
	"headway/record"
	"headway/report"
)

// What was sampled and cannot be written down whole is not left as if it were: there is
// no file, and a warning says why. A file is kept of what could be written.
func TestTelemetryFile(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(o *outputs, path string) error
		want  string
	}{
		"whole": {func(*outputs, string) error { return nil }, ""},
		"no head": {func(o *outputs, _ string) error { o.sampledToo = true; return nil },
			"not kept: as a table: "},
		"taken": {func(_ *outputs, path string) error { return os.Mkdir(path, 0o755) }, "no ordinary file"},
		"full":  {func(o *outputs, _ string) error { o.unsampled = errors.New("no room"); return nil }, "no room"},
	} {
		o := &outputs{dir: t.TempDir(), names: report.FileNames("")}
		path := filepath.Join(o.dir, o.names.Telemetry)
		if err := tt.spoil(o, path); err != nil {
			t.Fatal(err)
		}
		o.telemetryLines()
		rep := &report.Report{}
		rep.Run.Telemetry = &record.Telemetry{}
		kept, table := o.closeTelemetry(rep)
		said := ""
		for _, w := range rep.Run.Warnings {
			said += w.Code + ": " + w.Text
		}
		if kept != (tt.want == "" || o.sampledToo) || table || (tt.want == "") != (said == "") ||
			!strings.Contains(said, tt.want) {
			t.Errorf("%s: kept %v, said %q", name, kept, said)
		}
		if info, err := os.Stat(path); (err == nil && info.Mode().IsRegular()) != kept {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// broken takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no room") }

// The end of the sampling says that its lines were not written, whether GPUs were asked
// for or not.
func TestLinesThatAreNotWritten(t *testing.T) {
	x := telemetry.Source{Name: "a", Paths: []string{"/metrics"},
		Fetch: func(context.Context, string, int64) ([]byte, error) {
			return []byte("vllm:num_requests_running 1\n"), nil
		}}
	s := &Servers{set: telemetry.NewSet(), gpus: telemetry.NewSet(), span: &telemetry.Span{}}
	s.sampler = telemetry.Start(t.Context(), telemetry.SamplerOptions{Clock: record.NewClock(), Interval: time.Hour,
		Lines: broken{}}, []telemetry.Source{x}, nil)
	var trailer record.Trailer
	if err := s.end(t.Context(), &trailer); err == nil || len(trailer.Warnings) > 0 {
		t.Errorf("%v, %v", err, trailer.Warnings)
	}
}

// GPUs that were found without being asked for, and tell nothing at the end of the load,
// are a warning.
func TestGPUsThatEndInTheMiddle(t *testing.T) {
	var dead atomic.Bool
	x := telemetry.Source{Name: "http://gpus", Paths: []string{"/metrics"},
		Fetch: func(context.Context, string, int64) ([]byte, error) {
			if dead.Load() {
				return nil, errors.New("connection refused")
			}
			return []byte("DCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} 400\n"), nil
		}}
	for _, dies := range []bool{true, false} {
		dead.Store(false)
		s := &Servers{set: telemetry.NewSet(), gpus: telemetry.NewSet(x), span: &telemetry.Span{}}
		o := telemetry.SamplerOptions{Clock: record.NewClock(), Interval: time.Hour}
		s.sampler = telemetry.Start(t.Context(), o, s.gpus.Sources(), nil)
		dead.Store(dies)
		var trailer record.Trailer
		if err := s.end(t.Context(), &trailer); err != nil {
			t.Fatal(err)
		}
		said := len(trailer.Warnings) == 1 && strings.Contains(trailer.Warnings[0].Text, "connection refused")
		if said != dies || len(trailer.Warnings) > 1 {
			t.Errorf("dies %v: %v", dies, trailer.Warnings)
		}
	}
}

// A source that was named and given up is missing in every run from then on, and each of
// them says so.
func TestSourcesThatAreGivenUpAreMissingInEachRun(t *testing.T) {
	x := telemetry.Source{Name: "http://gone", Paths: []string{"/metrics"},
		Fetch: func(context.Context, string, int64) ([]byte, error) { return nil, errors.New("connection refused") }}
	s := &Servers{set: telemetry.NewSet(x), gpus: telemetry.NewSet(x), named: true, gpusSaid: true, noSMI: true,
		interval: time.Second}
	for i := range 3 {
		s.begin(t.Context())
		s.sample(t.Context(), record.NewClock(), func() io.Writer { return nil }, nil)
		var trailer record.Trailer
		if err := s.end(t.Context(), &trailer); err != nil {
			t.Fatal(err)
		}
		said := map[string]string{}
		for _, w := range trailer.Warnings {
			said[w.Code] += w.Text
		}
		if len(trailer.Warnings) != 2 || strings.Count(said["gpu_telemetry"], "http://gone: connection refused") != 1 ||
			!strings.Contains(said["gpu_telemetry"], "no nvidia-smi") ||
			strings.Count(said["server_metrics"], "http://gone: connection refused") != 1 {
			t.Errorf("run %d: %v", i+1, trailer.Warnings)
		}
	}
}
