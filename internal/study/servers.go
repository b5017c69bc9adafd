package study

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/telemetry"
	"headway/record"
	"headway/report"
)

// Servers reads what the servers of a setup count themselves, before and after each
// measured phase, and them, GPUs and hosts at an interval during it. Whatever goes
// wrong with that is a note or a warning: no run fails for it. The nil pointer reads
// nothing.
type Servers struct {
	set   *telemetry.Set
	named bool // the user said where
	note  func(format string, args ...any)
	span  *telemetry.Span
	why   []string // nothing was read of a source

	gpus     *telemetry.Set
	gpusSaid bool // the user said where
	own      telemetry.GPUs
	smi      string   // the path of nvidia-smi; "" does not run it
	noSMI    bool     // it was asked for and is not there
	lost     []string // of GPUs: why sources were given up
	interval time.Duration
	sampler  *telemetry.Sampler
}

// metricsPaths are where engines have their pages; TensorRT-LLM's /metrics is
// another thing.
var metricsPaths = []string{"/metrics", "/prometheus/metrics"}

// sourceOf is a page of the i-th server of a client, asked for as requests are.
func sourceOf(client openai.Config, i int, paths []string) telemetry.Source {
	return telemetry.Source{Name: openai.Shown(client.URLs[i]), Paths: paths,
		Fetch: func(ctx context.Context, path string, most int64) ([]byte, error) {
			return client.Get(ctx, i, path, most)
		}}
}

// namedSource is a page by its address. Credentials go to the endpoint's own host
// alone.
func namedSource(client openai.Config, page string) (telemetry.Source, error) {
	u, err := url.Parse(options.MetricsURL(page))
	if err != nil {
		return telemetry.Source{}, fmt.Errorf("reading the address of metrics: %w", err)
	}
	paths := metricsPaths
	if strings.Trim(u.Path, "/") != "" {
		paths = []string{u.Path}
	}
	u.Path, u.RawQuery, u.Fragment = "", "", ""
	own := slices.ContainsFunc(client.URLs, func(address string) bool {
		e, err := url.Parse(address)
		return err == nil && e.Scheme == u.Scheme && e.Host == u.Host
	})
	if !own {
		client.APIKey, client.Headers = "", nil
	}
	client.URLs = []string{u.String()}
	return sourceOf(client, 0, paths), nil
}

// pageAt is a page that was found, by the name of whose it is. It is asked for without
// any credentials.
func pageAt(p options.Page) (telemetry.Source, error) {
	client := openai.Config{}
	client.Defaults()
	source, err := namedSource(client, p.URL)
	source.Name = p.Name
	return source, err
}

// dynamo says whether a server is a frontend of Dynamo.
func (s *Servers) dynamo(ctx context.Context) bool {
	return s != nil && s.set.Serves(ctx, telemetry.DynamoFrontend)
}

func (s *Servers) begin(ctx context.Context) {
	if s != nil {
		s.span = s.set.Begin(ctx)
		s.why = append(s.why, s.set.Notes()...)
	}
}

// end puts what moved into the trailer. An interrupted run is not held up for it. The
// error is that of [Servers.stopSampling].
func (s *Servers) end(ctx context.Context, t *record.Trailer) (unsampled error) {
	if s == nil {
		return nil
	}
	unsampled = s.stopSampling(t)
	if ctx.Err() != nil {
		return unsampled
	}
	moved, notes := s.span.End(ctx)
	t.Servers = moved
	if s.named {
		notes = append(slices.Clone(s.why), notes...)
	}
	for _, note := range notes {
		t.Warnings = append(slices.Clip(t.Warnings), record.Warning{Code: "server_metrics",
			Text: "what the server says of itself is not known for all of the run: " + note})
	}
	return unsampled
}

// tell says why the share of cached tokens is not known, where it could have been
// read.
func (s *Servers) tell(rep *report.Report) {
	if s == nil || s.note == nil || s.named || len(s.why) == 0 { // of those that are named it is a warning
		return
	}
	if share, _ := rep.HitRate(); share >= 0 {
		return
	}
	s.note("note: how much of the prompts was cached is not known: no reply says it, and no counters were read: %s",
		strings.Join(s.why, "; "))
}
