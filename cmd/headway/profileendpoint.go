package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"headway/internal/deploy"
	"headway/internal/openai"
	"headway/internal/profile"
	"headway/metric"
	"headway/report"
	"headway/workload"
)

// profileEndpointCmd measures an engine that somebody else started, with the
// options of Dynamo's profile_endpoint.py.
type profileEndpointCmd struct {
	Mode        string   `name:"mode" enum:",prefill,decode" default:"" placeholder:"MODE" help:"What to measure: prefill (TTFT over the prompt length) or decode (ITL over KV cache share and context)."`
	URLs        []string `name:"url" short:"u" aliases:"urls,endpoint-url" sep:"none" placeholder:"URL" help:"Address of the engine."`
	NumGPUs     int      `name:"num-gpus" default:"0" placeholder:"N" help:"GPUs behind it; throughput is per GPU."`
	MaxKV       int      `name:"max-kv-tokens" default:"0" placeholder:"N" help:"Tokens that its KV cache holds, all attention ranks together; needed for decode. The engine's log says it."`
	MaxContext  int      `name:"max-context-length" default:"16384" help:"Longest context to measure (tokens)."`
	Granularity int      `name:"interpolation-granularity" default:"8" help:"How fine the grid is: prompt lengths, and for decode as many loads for each."`
	DP          int      `name:"attention-dp-size" default:"1" help:"Attention ranks of the engine (data-parallel attention)."`
	Repeats     int      `name:"repeats" default:"3" help:"Measure every point so often."`
	MostRepeats int      `name:"max-repeats" default:"0" placeholder:"N" help:"Measure a point up to so often while its spread is too wide. Default: three times --repeats."`
	MaxSpread   float64  `name:"max-spread" default:"5" placeholder:"PCT" help:"A point is sure enough when half of the 95 % interval of its mean is at most this share of it (percent)."`
	WorkDir     string   `name:"work-dir" aliases:"output-dir" short:"d" type:"path" default:"endpoint_profiling_results" help:"Folder of the results; prefill and decode may share one."`
	Resume      bool     `name:"resume" help:"Go on with the points that an earlier call has measured."`
	Overwrite   bool     `name:"overwrite" help:"Begin anew where an earlier call has measured points."`
	Seed        *uint64  `name:"random-seed" placeholder:"N" help:"Seed of the prompts. Default: from the system, so that no call meets the cache of another."`
	JSON        bool     `name:"json" help:"Print the points as JSON on standard output instead of a table."`
	Quiet       bool     `name:"quiet" short:"q" help:"Only errors, and no progress."`
	OpenLength  bool     `name:"open-length" help:"Leave out ignore_eos and min_tokens, for servers that refuse fields that they do not know."`

	endpointFlags
	tokenizerFlags
	noConnectFlags
}

// Help is shown below the options.
func (profileEndpointCmd) Help() string {
	return `Examples:

  headway profile endpoint --mode prefill --model-name M --url http://localhost:8000 --num-gpus 1 \
      --max-context-length 16384 --interpolation-granularity 8 --work-dir out
  headway profile endpoint --mode decode --model-name M --url http://localhost:8000 --num-gpus 1 \
      --max-kv-tokens 200000 --work-dir out
  headway profile query --profile-results-dir out --isl 3000 --osl 150 --ttft 100 --itl 10

Without an engine, 'headway sim serve --port 8000' simulates one (--max-kv-tokens 1048576).`
}

func (c *profileEndpointCmd) phase() profile.Phase { return profile.Phase(c.Mode) }

func (c *profileEndpointCmd) sweep() profile.Sweep {
	return profile.Sweep{MaxContext: c.MaxContext, Granularity: c.Granularity, Repeats: c.Repeats, MostRepeats: c.MostRepeats,
		MaxShare: c.MaxSpread / 100, Tokens: c.tokenSource(metric.TokensAuto), Key: workload.Seed(seedOf(c.Seed)).Named("profile endpoint")}
}

// validate lists every fault.
func (c *profileEndpointCmd) validate(a app) (openai.Config, error) {
	var bad faultList
	if c.Mode == "" {
		bad.add("--mode: say prefill or decode")
	}
	if len(c.Model) == 0 {
		bad.add("--model-name: name the model that the endpoint serves")
	}
	urls := c.URLs
	if len(urls) == 0 {
		bad.add("--url: say where the engine answers; `headway sim serve --port 8000` simulates one at http://127.0.0.1:8000")
		urls = []string{"http://127.0.0.1:8000"}
	}
	if len(urls) > 1 {
		bad.add("--url: %d addresses: one engine is profiled at a time", len(urls))
	}
	bad.positive("num-gpus", float64(c.NumGPUs))
	bad.between("attention-dp-size", float64(c.DP), 1, 4096)
	bad.notNegative("max-kv-tokens", float64(c.MaxKV))
	if c.Mode == "decode" && c.MaxKV == 0 {
		bad.add("--max-kv-tokens: needed for decode, whose points are shares of the KV cache; the engine's log says at its start how many tokens the cache holds")
	}
	if c.Resume && c.Overwrite {
		bad.add("--resume with --overwrite: give one of them")
	}
	// Where the sweep takes 0 for its default, the command line does not.
	if c.Repeats == 0 {
		bad.add("--repeats 0: must be from 1 to 100")
	}
	if c.MaxSpread == 0 {
		bad.add("--max-spread 0: must be above 0, at most 100")
	}
	if err := c.sweep().Validate(c.phase()); err != nil && c.Mode != "" {
		bad = append(bad, err)
	}
	if c.Mode == "decode" {
		bad.connections("max-kv-tokens", min(c.MaxKV/600, profile.MaxConcurrency))
	}
	client, err := c.config(a, urls, true)
	if err != nil {
		bad = append(bad, err)
	}
	return client, bad.err()
}

func (c *profileEndpointCmd) run(ctx context.Context, a app) (int, error) {
	client, err := c.validate(a)
	if err != nil {
		return exitUsage, err
	}
	tok, warning, err := a.loadTokens(ctx, c.tokenizerFlags, c.Model[0], false)
	if err != nil {
		return exitFailed, err
	}
	if warning != nil {
		a.note("warning: %s", warning.Text)
	}
	journal, err := profile.OpenJournal(c.WorkDir, c.phase(), c.settings(client, tok), c.Resume, c.Overwrite)
	if err != nil {
		if errors.Is(err, profile.ErrHasPoints) || errors.Is(err, profile.ErrOtherSettings) {
			err = usageError{err}
		}
		return exitFailed, err
	}
	defer journal.Close()
	if journal.Skipped > 0 {
		a.note("warning: %d lines of %s could not be read; their points are measured again", journal.Skipped, profile.JournalPath(c.WorkDir, c.phase()))
	}
	engine, err := deploy.NewEndpoint(deploy.EndpointConfig{Client: client, Tokenizer: tok.tokenizer, OpenLength: c.OpenLength, NoPreconnect: c.NoPreconnect,
		Facts: profile.Facts{GPUs: c.NumGPUs, AttentionDP: c.DP, KVTokens: c.MaxKV}})
	if err != nil {
		return exitFailed, err
	}
	defer engine.Close(ctx)
	if err := a.waitReady(ctx, &c.endpointFlags, engine.Client()); err != nil {
		return exitFailed, err
	}
	sweep := c.sweep()
	sweep.Journal, sweep.Progress = journal, c.progress(a, journal.Kept())
	return c.measure(ctx, a, engine, sweep)
}

// measure makes the sweep and writes its files.
func (c *profileEndpointCmd) measure(ctx context.Context, a app, engine profile.Engine, sweep profile.Sweep) (int, error) {
	about := fmt.Sprintf("%s at %s · %s · --repeats %d · headway %s",
		strings.Join(c.Model, ","), engine.Facts().URL, gpuCount(c.NumGPUs), c.Repeats, version)
	var result interface {
		WriteFiles(dir, about string) error
	}
	var rows [][]string
	var document any
	var tokens string
	var err error
	if c.Mode == "prefill" {
		var curve profile.PrefillCurve
		curve, err = profile.MeasurePrefill(ctx, engine, sweep)
		result, rows, tokens = curve, prefillRows(curve), tokensOf(curve.Qualities())
		document = struct {
			profile.PrefillCurve
			Avoided []string `json:"x-defects-avoided"`
		}{curve, sweepAvoided()}
		if n := len(curve.Usable()); err == nil && n < 4 {
			a.note("warning: %d prompt lengths were measured: Dynamo's planner takes at least 4", n)
		}
	} else {
		var surface profile.DecodeSurface
		surface, err = profile.MeasureDecode(ctx, engine, sweep)
		result, rows, tokens = surface, decodeRows(surface), tokensOf(surface.Qualities())
		document = struct {
			profile.DecodeSurface
			Avoided []string `json:"x-defects-avoided"`
		}{surface, sweepAvoided()}
	}
	if err != nil {
		return exitFailed, fmt.Errorf("%w\nthe points that were measured are kept in %s; the same call with --resume goes on",
			err, profile.JournalPath(c.WorkDir, c.phase()))
	}
	if err := result.WriteFiles(c.WorkDir, about+" · "+tokens); err != nil {
		return exitFailed, err
	}
	if c.JSON {
		err = printJSON(a.stdout, document)
	} else if !c.Quiet {
		err = writeRows(a.stdout, rows)
	}
	if err == nil && !c.Quiet {
		a.note("%s", tokens)
		a.note("results: %s", c.WorkDir)
	}
	if err != nil {
		return exitFailed, err
	}
	return exitDone, nil
}

// tokensOf says whose token counts the points are made of.
func tokensOf(points []profile.Quality) string {
	var client, server int
	for _, q := range points {
		switch q.CountedBy {
		case metric.TokensClient.String():
			client++
		case metric.TokensServer.String():
			server++
		}
	}
	switch {
	case client == 0:
		return "tokens: the server's counts"
	case server == 0:
		return "tokens: counted by this client"
	}
	return fmt.Sprintf("tokens: the server's counts in %d points, counted by this client in %d, which do not compare",
		server, client)
}

// settings are what two calls must have in common to share points.
func (c *profileEndpointCmd) settings(client openai.Config, tok tokens) any {
	secrets := report.NewRedactor(secretsOf(client, &c.endpointFlags)...)
	own := ""
	if s := c.tokenSource(metric.TokensAuto); s == metric.TokensClient {
		own = s.String()
	}
	return struct {
		Model, URL, Type, Path string
		Extra                  string
		Headers                map[string]string
		Tokenizer              string
		ServerTokens           bool
		GPUs, KV, DP           int
		Context, Granularity   int
		Repeats, Most          int
		Spread                 float64
		OpenLength             bool
		Seed                   *uint64
		NoPreconnect           bool   `json:",omitempty"`
		TokenCount             string `json:",omitempty"` // client; auto was none once
	}{strings.Join(c.Model, ","), secrets.Text(strings.Join(client.URLs, ",")), client.Type, client.Endpoint,
		secrets.Text(string(client.Extra)), headerPrints(c.Headers), tok.info.Fingerprint, c.tokenSource(metric.TokensAuto) == metric.TokensServer,
		c.NumGPUs, c.MaxKV, c.DP, c.MaxContext, c.Granularity, c.Repeats, c.MostRepeats, c.MaxSpread, c.OpenLength, c.Seed, c.NoPreconnect, own}
}

// progress says of each point what came of it, and how long the rest may take.
func (c *profileEndpointCmd) progress(a app, kept int) func(profile.Step) {
	if c.Quiet {
		return nil
	}
	begin := time.Now()
	return func(s profile.Step) {
		if !s.Done {
			return
		}
		left := ""
		if measured := s.Point - kept; measured > 0 && s.Point < s.Points {
			each := time.Since(begin) / time.Duration(measured)
			left = fmt.Sprintf(" · about %v left", (each * time.Duration(s.Points-s.Point)).Round(time.Second))
		}
		a.note("%s %d/%d: %s: %s%s", s.Phase, s.Point, s.Points, s.Name, s.Result, left)
		for _, w := range s.Warnings {
			a.note("warning: %s", w)
		}
	}
}

func prefillRows(c profile.PrefillCurve) [][]string {
	rows := [][]string{{"ISL", "TTFT (ms)", "±95 %", "tokens/s/GPU", "±95 %", "repeats", ""}}
	for _, p := range c.Points {
		rows = append(rows, append([]string{fmt.Sprint(p.ISL)}, figureRow(p.TTFT, p.Throughput, p.Quality)...))
	}
	return rows
}

func decodeRows(s profile.DecodeSurface) [][]string {
	rows := [][]string{{"context", "requests", "KV share", "ITL (ms)", "±95 %", "tokens/s/GPU", "±95 %", "repeats", ""}}
	for _, p := range s.Points {
		row := []string{fmt.Sprint(p.Context), fmt.Sprint(p.Requests), fmt.Sprintf("%.1f %%", 100*p.KVUsage)}
		rows = append(rows, append(row, figureRow(p.ITL, p.Throughput, p.Quality)...))
	}
	return rows
}

// figureRow is a latency and a throughput with their intervals, and what is
// wrong with the point.
func figureRow(latency, rate profile.Figure, q profile.Quality) []string {
	if q.Failed != "" {
		return []string{"-", "", "-", "", "0", "failed"}
	}
	half := func(f profile.Figure, scale float64, digits int) string {
		h := f.HalfWidth()
		if math.IsInf(h, 0) {
			return ""
		}
		return fmt.Sprintf("%.*f", digits, h*scale)
	}
	note := ""
	switch {
	case q.Wide:
		note = "wide"
	case len(q.Warnings) > 0:
		note = "see warnings"
	}
	return []string{fmt.Sprintf("%.2f", latency.Mean*1e3), half(latency, 1e3, 2), fmt.Sprintf("%.1f", rate.Mean), half(rate, 1, 1), fmt.Sprint(latency.N), note}
}

// writeRows writes a table with its columns aligned to the right.
func writeRows(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t")+"\t")
	}
	return t.Flush()
}
