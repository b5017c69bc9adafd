package study

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/bound"
	"headway/internal/options"
	"headway/internal/telemetry"
	"headway/record"
	"headway/report"
	"headway/report/parquet"
)

// dcgmPorts are where DCGM's exporter listens on a host, by itself and beside Dynamo.
var dcgmPorts = []string{"http://localhost:9400", "http://localhost:9401"}

// findGPUs says where GPUs are read: where the options say, and for an endpoint on
// this host where its GPUs can be read without being told.
func (g *Servers) findGPUs(s Sampling) error {
	g.gpus = telemetry.NewSet()
	asked := slices.DeleteFunc(slices.Clone(s.Telemetry.GPUTelemetry), func(x string) bool {
		return x == options.Dashboard
	})
	switch {
	case s.Telemetry.NoGPUTelemetry, g.interval == 0:
		return nil
	case len(asked) > 0:
		g.gpusSaid = true
	case s.Simulated, s.Elsewhere, !slices.ContainsFunc(s.Client.URLs, onThisHost):
		return nil
	}
	pages, local := dcgmPorts, true
	if g.gpusSaid {
		local = slices.ContainsFunc(asked, options.LocalGPUs)
		pages = slices.DeleteFunc(asked, options.LocalGPUs)
	}
	var sources []telemetry.Source
	for _, page := range pages {
		source, err := namedSource(s.Client, page)
		if err != nil {
			return err
		}
		source.GPUs = s.GPUs
		sources = append(sources, source)
	}
	g.gpus = telemetry.NewSet(sources...)
	if local {
		g.smi = program("nvidia-smi", s.Path)
		g.noSMI = g.smi == "" && g.gpusSaid
	}
	return nil
}

// program finds a program on a path; "" where it is not there.
func program(name, path string) string {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(found) {
			return found
		}
	}
	return ""
}

// onThisHost says that an address is this host's own.
func onThisHost(address string) bool {
	u, err := url.Parse(options.MetricsURL(address))
	if err != nil {
		return false
	}
	to, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && to.IsLoopback()
}

// sample begins to read whatever tells something, at an interval. Where no server and
// no GPU does, this host is not read either.
func (s *Servers) sample(ctx context.Context, clock record.Clock, lines func() io.Writer, clean func(string) string) {
	if s == nil || s.interval == 0 {
		return
	}
	gpus := s.gpus.Speaking(ctx)
	sources := append(slices.Clone(s.set.Sources()), gpus...)
	var feeds []telemetry.Feed
	if s.smi != "" && (len(gpus) == 0 || s.gpusSaid) {
		feeds = append(feeds, telemetry.NVIDIASMIFeed(s.smi, s.own))
	}
	if len(sources)+len(feeds) == 0 {
		return
	}
	if host, ok := telemetry.ThisHost(); ok {
		sources = append(sources, host)
	}
	s.sampler = telemetry.Start(ctx, telemetry.SamplerOptions{Clock: clock, Interval: s.interval, Lines: lines(),
		Clean: clean}, sources, feeds)
}

// mark says that the measured phase begins.
func (s *Servers) mark() {
	if s != nil {
		s.sampler.Mark()
	}
}

// stopSampling ends it and warns of GPUs that were asked for and did not tell, and of
// those that did not until the end. The error says why not all that was sampled is in its file.
func (s *Servers) stopSampling(t *record.Trailer) (err error) {
	s.lost = append(s.lost, s.gpus.Notes()...)
	var why []string
	if s.gpusSaid {
		why = slices.Clone(s.lost)
	}
	if s.noSMI {
		why = append(why, "there is no nvidia-smi on this host")
	}
	if s.sampler != nil {
		err = s.sampler.Stop()
		why = append(why, s.failingGPUs()...)
	}
	if len(why) > 0 {
		t.Warnings = append(slices.Clip(t.Warnings), record.Warning{Code: "gpu_telemetry",
			Text: "GPUs were not read everywhere: " + strings.Join(why, "; ")})
	}
	return err
}

// failingGPUs says which sources of GPUs told something and ended before the load did.
func (s *Servers) failingGPUs() (why []string) {
	names := []string{telemetry.SMIName}
	for _, x := range s.gpus.Sources() {
		names = append(names, x.Name)
	}
	failing := s.sampler.Failing()
	for _, name := range names {
		if failing[name] != "" {
			why = append(why, name+" told nothing more: "+failing[name])
		}
	}
	return why
}

// summarise puts what was found in the measured phase into the trailer.
func (s *Servers) summarise(begin, end record.Time, t *record.Trailer) {
	if s == nil || s.sampler == nil {
		return
	}
	t.Telemetry = s.sampler.Summary(begin, end)
	s.sampler = nil
}

// telemetryLines is the file of what is sampled, nil where none is kept or it cannot
// be made, which closeTelemetry says.
func (o *outputs) telemetryLines() io.Writer {
	if o.dir == "" {
		return nil
	}
	f, err := report.Create(filepath.Join(o.dir, o.names.Telemetry))
	if err != nil {
		o.unsampled = err
		return nil
	}
	o.telemetry = f
	return f
}

// closeTelemetry gives the file its name, where all of it is there, and makes the table of
// it. A run does not fail for either.
func (o *outputs) closeTelemetry(rep *report.Report) (kept, table bool) {
	err := o.unsampled
	switch {
	case o.telemetry == nil:
	case err != nil || rep.Run.Telemetry == nil:
		o.telemetry.Abort()
	default:
		err = o.telemetry.Commit()
		kept = err == nil
	}
	if kept && o.sampledToo {
		if err = telemetryTable(o.dir, o.names); err != nil {
			err = fmt.Errorf("as a table: %w", err)
		}
		table = err == nil
	}
	if err != nil {
		rep.Run.Warnings = append(slices.Clip(rep.Run.Warnings), record.Warning{Code: "telemetry_file",
			Text: "what servers, GPUs and hosts said during the run is not kept: " + err.Error()})
	}
	return kept, table
}

// telemetryTable makes telemetry.parquet of telemetry.jsonl.
func telemetryTable(dir string, names report.Names) error {
	in, err := bound.Open(filepath.Join(dir, names.Telemetry))
	if err != nil {
		return err
	}
	defer in.Close()
	return report.WriteFile(filepath.Join(dir, names.TelemetryTable), func(w io.Writer) error {
		_, err := parquet.Telemetry(w, in)
		return err
	})
}
