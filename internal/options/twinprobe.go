package options

import (
	"time"

	"headway/internal/fault"
	"headway/internal/openai"
	"headway/metric"
)

// TwinURL is the server on which a twin is calibrated or checked.
type TwinURL struct {
	URLs   []string `name:"url" short:"u" aliases:"urls,endpoint-url" sep:"none" placeholder:"URL" help:"Address of the server to measure."`
	Seed   *uint64  `name:"random-seed" placeholder:"N" help:"Seed of the prompts. Default: from the system, so that no call meets the cache of another."`
	Flight int      `name:"max-concurrency" default:"400" placeholder:"N" help:"Most requests in flight. Lower it beside other traffic."`

	Endpoint
	Tokens
	NoConnect
	Telemetry
	Audit
	Exports
}

// TwinProbe says how a server is calibrated.
type TwinProbe struct {
	TwinURL
	WorkDir    string  `name:"work-dir" apart:"" aliases:"output-dir" short:"d" type:"path" default:"twin_probes" help:"Folder of the results of the loads that are sent with --url."`
	Overwrite  bool    `name:"overwrite" apart:"" help:"Discard the loads that an earlier call has measured in --work-dir."`
	Resume     bool    `name:"resume" apart:"" help:"Continue a calibration that was interrupted, with the loads in --work-dir."`
	MaxContext int     `name:"max-context-length" default:"8192" placeholder:"N" help:"Longest prompt and reply together to send (tokens). Default: ${default}, or what the server takes, where that is less."`
	MaxLoad    Seconds `name:"max-load-time" default:"150" placeholder:"TIME" help:"Longest time of load on the server, all probes together (s)."`
}

// TwinCheck says how a twin is held against its server.
type TwinCheck struct {
	Folders   []string `arg:"" optional:"" name:"folder" help:"Results of run and bench of the same server."`
	Tolerance float64  `name:"tolerance" default:"15" placeholder:"PCT" help:"The twin holds while its means are off by at most this (percent), or by 1.5 times what they were in the loads that its fit held out, where that is more."`
	WorkDir   string   `name:"work-dir" apart:"" aliases:"output-dir" short:"d" type:"path" default:"twin_check" help:"Folder of the results of the load that is sent with --url; those of an earlier check are replaced."`
	TwinURL
}

// Check lists what is wrong with the options.
func (o *TwinCheck) Check(a Caller) error {
	var bad fault.List
	bad.When((len(o.Folders) > 0) == (len(o.URLs) > 0), "hold the twin against folders of results, or against a "+
		"server that %s names: give one of them", fault.Field("url"))
	bad.Between("tolerance", o.Tolerance, 0.1, 1000)
	o.Faults(a, &bad)
	return bad.Usage()
}

// live are the options that do nothing without an address.
const live = "work-dir overwrite random-seed max-concurrency resume max-context-length max-load-time model " +
	"endpoint-type custom-endpoint api-key header extra-inputs tokenizer token-count use-server-token-count max-lag " +
	"wait-for-model-timeout request-timeout-seconds no-preconnect server-metrics no-server-metrics gpu-telemetry " +
	"no-gpu-telemetry telemetry-interval otel-url otel-traces otel-resource-attributes gen-ai-provider " +
	"metrics-listen upload-url export-llmd-report"

// Least that probes can be made of.
const (
	leastContext = 256
	leastLoad    = time.Minute
)

// Faults lists what is wrong with the options.
func (p *TwinProbe) Faults(a Caller, bad *fault.List) {
	bad.When(p.Resume && p.Overwrite, "%s with %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	bad.Between("max-context-length", float64(p.MaxContext), leastContext, 1<<20)
	bad.When(time.Duration(p.MaxLoad) < leastLoad, "%s: must be at least %g s", fault.Field("max-load-time"),
		leastLoad.Seconds())
	p.TwinURL.Faults(a, bad)
}

// Faults lists what is wrong with the options.
func (p *TwinURL) Faults(a Caller, bad *fault.List) {
	if len(p.URLs) == 0 {
		bad.Idle(a.Given, true, live, fault.Field("url"))
		return
	}
	bad.When(len(p.URLs) > 1, "%s: %d addresses: a twin is of one server", fault.Field("url"), len(p.URLs))
	bad.When(len(p.Model) == 0, "%s: name the model that the server serves", fault.Field("model"))
	bad.Between("max-concurrency", float64(p.Flight), 1, 4096)
	Connections(bad, "max-concurrency", p.Flight)
	p.Audit.Faults(bad)
	p.Telemetry.Faults(bad)
	p.Exports.Faults(a, bad)
}

// Config is the client.
func (p *TwinURL) Config(a Caller) (openai.Config, error) { return p.Client(a, p.URLs[:1], true) }

// Counts says whose counts of tokens are asked for.
func (p *TwinURL) Counts() metric.TokenSource { return p.TokenSource(metric.TokensAuto) }
