package options

import (
	"path/filepath"
	"strings"

	"headway/internal/fault"
	"headway/metric"
)

// Report says which results are made again, and how they are shown.
type Report struct {
	Path      string   `arg:"" type:"path" help:"Folder of results or one above several, or one file: records.jsonl, profile_export.jsonl, profile_export_aiperf.json."`
	Write     bool     `name:"write" help:"Write the files again, into the folder itself: JSON, CSV, console text, exports, aggregates, summaries and pictures."`
	OutputDir string   `name:"output-dir" short:"d" type:"path" placeholder:"DIR" help:"Write the files into this folder instead, in the same subfolders."`
	Format    string   `name:"format" enum:"terminal,markdown,json,html" default:"terminal" help:"Format of the tables: ${enum}. HTML is one page with pictures and single requests, for a browser. JSON has the titles, cells and sentences of the tables with the figures behind them; --json prints the results in aiperf's schema instead."`
	Output    string   `name:"output" short:"o" type:"path" placeholder:"FILE" help:"Write what is shown into this file instead of standard output. An ending of .html or .md says the format, too."`
	Goals     []string `name:"objective" sep:"none" placeholder:"\"TAG STAT < VALUE\"" help:"A target such as 'time_to_first_token p99 < 500ms' in place of those of the runs; repeatable. Exit code 3 when one is missed, 5 when one is not decided."`
	Preset    string   `name:"slo-preset" placeholder:"NAME" help:"Targets of an MLPerf scenario, such as mlperf-llama2-70b-interactive; another name lists all. --objective adds to them."`
	As        string   `name:"as" enum:",aiperf,vllm,sglang,guidellm,inference-perf,genai-perf,mlperf" default:"" placeholder:"TOOL" help:"Show the figures that another tool would have given for these requests, in its names and units, and why they differ: aiperf, vllm, sglang, guidellm, inference-perf, genai-perf or mlperf."`
	NumGPUs   int      `name:"num-gpus" default:"0" help:"GPUs behind the endpoint, for figures per GPU. Default: what the results say."`
	JSON      bool     `name:"json" help:"Print the result as JSON on standard output instead of tables; of several results one document each."`
	Quiet     bool     `name:"quiet" short:"q" help:"Only errors: no tables and no notes."`
	Recover   bool     `name:"recover" help:"Make the results of runs whose process was killed, of records.jsonl.partial, and say what is missing."`
	Overwrite bool     `name:"overwrite" help:"With --recover: replace earlier results in the folder of a killed run, where a request of it was answered."`
}

// Shown is the format of what is shown: the one that was asked for, or that of the
// file's name.
func (c *Report) Shown() string {
	if c.Format != "terminal" {
		return c.Format
	}
	switch strings.ToLower(filepath.Ext(c.Output)) {
	case ".html", ".htm":
		return "html"
	case ".md":
		return "markdown"
	}
	return c.Format
}

// Objectives are those that take the place of the runs' own. The error lists every
// fault of the options.
func (c *Report) Objectives() ([]metric.Objective, error) {
	var bad fault.List
	goals := Objectives(&bad, c.Preset, c.Goals)
	c.faults(&bad)
	return goals, bad.Usage()
}

// Decides says that objectives were given, which decide the exit code.
func (c *Report) Decides() bool { return c.Preset != "" || len(c.Goals) > 0 }

func (c *Report) faults(bad *fault.List) {
	bad.NotNegative("num-gpus", float64(c.NumGPUs))
	if c.Write && c.OutputDir != "" {
		bad.Add("%s and %s: give one of them", fault.Field("write"), fault.Field("output-dir"))
	}
	if c.JSON && c.Shown() != "terminal" {
		bad.Add("%s and %s %s: give one of them", fault.Field("json"), fault.Field("format"), c.Shown())
	}
	if c.As != "" && (c.Write || c.OutputDir != "" || c.Recover || c.Shown() == "html") {
		bad.Add("%s prints tables, Markdown or JSON, with %s into a file: it takes none of %s, %s, %s and %s html",
			fault.Field("as"), fault.Field("output"), fault.Field("write"), fault.Field("output-dir"),
			fault.Field("recover"), fault.Field("format"))
	}
	if c.Overwrite && !c.Recover {
		bad.Add("%s is of %s; %s replaces the files of results", fault.Field("overwrite"), fault.Field("recover"),
			fault.Field("write"))
	}
	if c.Recover && (c.Write || c.OutputDir != "" || c.Output != "" || c.Decides() || c.NumGPUs > 0) {
		bad.Add("%s takes none of %s, %s, %s, %s and %s: recover first, then report on what is there",
			fault.Field("recover"),
			fault.Field("write"), fault.Field("output-dir"), fault.Field("output"), fault.Field("objective"),
			fault.Field("num-gpus"))
	}
}
