package study

import (
	"time"

	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/telemetry"
)

// Sampling says what is read beside the load on an endpoint.
type Sampling struct {
	// Client is how the endpoint is spoken to, whose own pages are read by default.
	Client    openai.Config
	Telemetry options.Telemetry
	// Path is where nvidia-smi is looked for, as PATH has it.
	Path string
	// Simulated says that the endpoint is headway's own, which has no GPUs; Elsewhere
	// that an address of this host leads to another, as a port-forward does. GPUs are
	// then read where the options name them.
	Simulated, Elsewhere bool
	// GPUs are the engine's own among those that are read; nil takes all.
	GPUs telemetry.GPUs
	// Note hears why the share of cached tokens is not known; nil does not.
	Note func(format string, args ...any)
}

// Servers makes what reads. The error is a malformed address.
func (s Sampling) Servers() (*Servers, error) {
	g := &Servers{note: s.Note, own: s.GPUs, interval: time.Duration(s.Telemetry.SampleInterval)}
	sources, err := s.pages()
	if err != nil {
		return nil, err
	}
	g.set, g.named = telemetry.NewSet(sources...), len(s.Telemetry.ServerMetrics) > 0
	return g, g.findGPUs(s)
}

// pages are those of servers: the endpoint's own, or those that are named.
func (s Sampling) pages() (sources []telemetry.Source, err error) {
	if s.Telemetry.NoServerMetrics {
		return nil, nil
	}
	if len(s.Telemetry.ServerMetrics) == 0 {
		for i := range s.Client.URLs {
			sources = append(sources, sourceOf(s.Client, i, metricsPaths))
		}
	}
	for _, page := range s.Telemetry.ServerMetrics {
		source, err := namedSource(s.Client, page)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	for _, p := range s.Telemetry.Pages {
		page, err := pageAt(p)
		if err != nil {
			return nil, err
		}
		sources = append(sources, page)
	}
	for i := range sources {
		sources[i].GPUs = s.GPUs
	}
	return sources, nil
}

// sampling is that of the options.
func (s Server) sampling(a Caller) Sampling {
	return Sampling{Client: s.Client, Telemetry: s.Telemetry, Path: a.Getenv("PATH"), Simulated: s.Simulated,
		Elsewhere: s.Elsewhere, Note: a.NoteOnce}
}
