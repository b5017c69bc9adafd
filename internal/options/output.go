package options

import (
	"cmp"
	"encoding/binary"

	"headway/internal/fault"
	"headway/metric"
	"headway/record"
)

import crand "crypto/rand"

// Goals reads --goodput and --objective.
func (o *Output) Goals() (metric.Options, error) {
	var m metric.Options
	var bad fault.List
	for _, text := range o.Goodput {
		list, err := metric.ParseGoodput(text)
		if err != nil {
			bad.Add("%s: %v", fault.Field("goodput"), err)
		}
		m.Goodput = append(m.Goodput, list...)
	}
	m.Objectives = Objectives(&bad, o.Preset, o.Objectives)
	bad.Between("confidence-level", o.Confidence, 0.5, 0.9999)
	bad.Between("num-profile-runs", float64(o.Runs), 1, 10)
	bad.NotNegative("num-gpus", float64(o.NumGPUs))
	bad.NotNegative("gpu-cost-per-hour", o.GPUHour)
	bad.NotNegative("energy-price", o.KWh)
	if o.FailAbove != nil {
		bad.Between("fail-above", *o.FailAbove, 0, 100)
	}
	if o.Compress == "zst" && o.Level == "summary" {
		bad.Add("%s zst with %s summary: there is no profile_export.jsonl to compress",
			fault.Field("export-compression"), fault.Field("export-level"))
	}
	var err error
	if m.ChunkRule, err = metric.ParseChunkRule(cmp.Or(o.ChunkRule, "asis")); err != nil {
		bad.Add("%s: %v", fault.Field("chunk-rule"), err)
	}
	return m, bad.Usage()
}

// Prices are what the options say of money; nil where they say nothing.
func (f *Output) Prices() *record.Prices {
	if f.GPUHour == 0 && f.KWh == 0 {
		return nil
	}
	return &record.Prices{GPUHour: f.GPUHour, KWh: f.KWh}
}

// NoLimit is a --fail-above that nothing exceeds: no share is above 100 %.
const NoLimit = 100

// MostFailed is --fail-above, without bound where it was not given.
func (f *Output) MostFailed() float64 {
	if f.FailAbove == nil {
		return NoLimit
	}
	return *f.FailAbove
}

// Tables says whether tables are printed, which say of each objective what came
// of it.
func (f *Output) Tables() bool { return !f.Quiet && !f.JSON }

// SeedOr is the seed that was asked for, or one of 53 bits from the system:
// more would not survive a reader of JSON whose numbers are floats.
func SeedOr(p *uint64) uint64 {
	if p != nil {
		return *p
	}
	var b [8]byte
	crand.Read(b[:]) // never fails: the runtime ends the program instead
	return binary.LittleEndian.Uint64(b[:]) >> 11
}

// Output says what is measured beside the metrics and how it is shown.
type Output struct {
	Goodput    []string `name:"goodput" apart:"records" sep:"none" placeholder:"\"TAG:VALUE …\"" help:"Limits that a good request meets, in the shown units: \"time_to_first_token:500 inter_token_latency:30\"."`
	Objectives []string `name:"objective" apart:"records" sep:"none" placeholder:"\"TAG STAT < VALUE\"" help:"A target such as 'time_to_first_token p99 < 500ms'; repeatable. Exit code 3 when one is missed, 5 when one is not decided."`
	Preset     string   `name:"slo-preset" apart:"records" placeholder:"NAME" help:"Targets of an MLPerf scenario, such as mlperf-llama2-70b-interactive; another name lists all. --objective adds to them."`
	FailAbove  *float64 `name:"fail-above" apart:"" placeholder:"PCT" help:"Exit code 3 when more than this percentage of requests fails; requests that headway ends itself do not count. Default: no limit, only a warning above 1 %."`
	NumGPUs    int      `name:"num-gpus" apart:"records" default:"0" help:"GPUs behind the endpoint, for figures per GPU."`
	GPUHour    float64  `name:"gpu-cost-per-hour" apart:"records" default:"0" placeholder:"$" help:"What a GPU costs for an hour ($), for the cost of tokens and requests; of --num-gpus GPUs, else of those that are read. Default: not known."`
	KWh        float64  `name:"energy-price" apart:"records" default:"0" placeholder:"$" help:"What a kilowatt-hour costs ($), added to the cost where the energy of the GPUs is known. Default: not known."`
	UI         string   `name:"ui-type" apart:"" aliases:"ui" enum:",dashboard,simple,none" default:"" help:"Display while running: dashboard on a terminal, else simple; none is silent."`
	Quiet      bool     `name:"quiet" apart:"" short:"q" help:"Only errors, and no progress."`
	JSON       bool     `name:"json" apart:"" help:"Print the result as JSON on standard output instead of tables."`
	Runs       int      `name:"num-profile-runs" default:"1" help:"Runs of every measurement, for intervals over runs (1-10)."`
	Cooldown   Seconds  `name:"profile-run-cooldown-seconds" apart:"" default:"0" placeholder:"TIME" help:"Pause between two runs (s)."`
	Confidence float64  `name:"confidence-level" apart:"" default:"0.95" help:"Confidence level of the intervals over runs."`
	Level      string   `name:"export-level" apart:"" aliases:"profile-export-level" enum:"summary,records,raw" default:"records" help:"Files to write: summary; records, with a line for each request (profile_export.jsonl) too; raw, with the body of each request and its reply as sent (profile_export_raw.jsonl) too."`
	Compress   string   `name:"export-compression" apart:"" enum:",none,zst" default:"none" help:"Compress profile_export.jsonl: none, or zst, which writes profile_export.jsonl.zst."`
	Parquet    bool     `name:"export-parquet" apart:"" help:"Write records.parquet too: a row a request with its metrics and the time of every chunk; and telemetry.parquet, a row a value, of what servers, GPUs and hosts said."`
	ChunkRule  string   `name:"chunk-rule" enum:",asis,spread" default:"asis" help:"Times of chunks that were read together: asis leaves them, spread puts them evenly between the chunk before and the read."`
	HTTPTrace  bool     `name:"export-http-trace" apart:"" help:"Write the connection's times into profile_export.jsonl."`
	ShowTrace  bool     `name:"show-trace-timing" apart:"" help:"Show the HTTP trace table."`
	Verbose    bool     `name:"verbose" apart:"" short:"v" help:"Say more while running."`
}
