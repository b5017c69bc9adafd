package options

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"headway/internal/fault"
	"headway/internal/plain"
)

// OneRun is the options of one measurement, under aiperf's names.
type OneRun struct {
	URLs      []string     `name:"url" short:"u" placeholder:"URL" help:"Base URL of the server; repeatable, sessions take turns. Default http://localhost:8000."`
	Strategy  string       `name:"url-strategy" enum:"round_robin" default:"round_robin" help:"How sessions take turns: round_robin."`
	Simulated bool         `name:"simulated" help:"Measure a simulated endpoint in this process."`
	ISL       One[float64] `name:"isl" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" default:"550" help:"Mean input length of synthetic prompts (tokens)."`
	ISLSD     One[float64] `name:"isl-stddev" aliases:"prompt-input-tokens-stddev,synthetic-input-tokens-stddev" default:"0" help:"Standard deviation of the input length (tokens)."`
	OSL       One[float64] `name:"osl" aliases:"prompt-output-tokens-mean,output-tokens-mean" default:"0" help:"Mean output length to ask for; 0 asks for no limit."`
	OSLSD     One[float64] `name:"osl-stddev" aliases:"prompt-output-tokens-stddev,output-tokens-stddev" default:"0" help:"Standard deviation of the output length (tokens)."`
	Streaming bool         `name:"streaming" negatable:"" help:"Ask for the reply as a stream; needed for TTFT and ITL."`
	Dir       string       `name:"artifact-dir" aliases:"output-artifact-dir" short:"d" type:"path" placeholder:"DIR" help:"Folder of the results. Default: a folder under ./artifacts named after model and load."`
	Overwrite bool         `name:"overwrite" help:"Replace the results of an earlier run in the same folder, once a request was answered. Under the name aiperf that is the default."`
	Prefix    string       `name:"profile-export-prefix" aliases:"profile-export-file" placeholder:"NAME" help:"Begin the files' names with this instead of profile_export."`

	AutoPlot     bool `name:"auto-plot" apart:"" negatable:"" help:"Draw the pictures of the results afterwards, into the folder plots below theirs."`
	PlotRequired bool `name:"plot-required" apart:"" help:"Exit code 1 where --auto-plot cannot draw, instead of a warning."`

	Endpoint
	Tokens
	Prompts
	Load
	Audit
	FailFast
	Connect
	Controls
	Telemetry
	Exports
	Output
	Until
	Web

	// Forwarded is how many services are reached by port-forwards.
	Forwarded int `kong:"-"`
}

// Plan is what is sent.
func (c *OneRun) Plan(a Caller) *Plan {
	return &Plan{Prompts: c.Prompts, Load: c.Load, ISL: c.ISL.Value, ISLSD: c.ISLSD.Value, OSL: c.OSL.Value,
		OSLSD: c.OSLSD.Value, Streaming: c.Streaming, Given: a.Given}
}

// Validate lists every fault, those of the input file included; bad are faults
// that are known.
func (c *OneRun) Validate(a Caller, p *Plan, bad fault.List) error {
	if c.Simulated && len(c.Model) == 0 {
		c.Model = []string{"simulated"}
	}
	if c.Simulated && len(c.URLs) > 0 {
		bad.Add("%s and %s: give one of them", fault.Field("simulated"), fault.Field("url"))
	}
	if c.Simulated && c.Forwarded > 0 {
		bad.Add("%s and %s: give one of them", fault.Field("simulated"), fault.Field("port-forward"))
	}
	if len(c.URLs) == 0 && !c.Simulated {
		c.URLs = []string{"http://localhost:8000"}
	}
	urls := c.URLs
	if c.Simulated {
		urls = []string{"http://127.0.0.1"}
	}
	if _, err := c.Client(a, urls, c.Streaming); err != nil {
		if _, missing := err.(fault.NotBuilt); missing {
			return err
		}
		bad = append(bad, err)
	}
	c.Until.check(&c.Output, a.Given, &bad)
	if _, err := c.Goals(); err != nil {
		bad = append(bad, err)
	}
	c.Audit.Faults(&bad)
	c.Controls.Faults(a.Given, &bad)
	c.Telemetry.Faults(&bad)
	c.Exports.Faults(a, &bad)
	c.Web.Faults(&bad)
	bad.Idle(a.Given, !c.AutoPlot, "plot-required", fault.Field("auto-plot"))
	if strings.ContainsAny(c.Prefix, `/\`) {
		bad.Add("%s %q: a name, not a path; %s says where", fault.Field("profile-export-prefix"), c.Prefix,
			fault.Field("artifact-dir"))
	}
	faults := p.Faults()
	bad = append(bad, faults...)
	if len(faults) == 0 {
		err := p.Read()
		var missing fault.NotBuilt
		if errors.As(err, &missing) {
			return err
		}
		if err == nil {
			err = p.Rehearse()
		}
		if err != nil {
			bad = append(bad, err)
		}
	}
	c.Connect.Faults(&bad)
	return bad.Usage()
}

// Folder is where results go: --artifact-dir, or aiperf's name for the run.
func (c *OneRun) Folder(p *Plan) string {
	if c.Dir != "" {
		return c.Dir
	}
	model := strings.ReplaceAll(plain.Line(c.Model[0]), "/", "_")
	if len(c.Model) > 1 {
		model += "_multi"
	}
	load := fmt.Sprintf("concurrency%d", max(1, p.Concurrency.Value))
	switch {
	case p.IsFixed():
		load = "fixed_schedule"
	case p.Rate.Set:
		load = fmt.Sprintf("request_rate%g", p.Rate.Value)
	}
	return filepath.Join("artifacts", fmt.Sprintf("%s-openai-%s-%s", model, c.EndpointType, load))
}
