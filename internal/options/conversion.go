package options

import (
	"headway/internal/fault"
	"headway/workload"
)

// Conversion says how a file becomes a Mooncake trace.
type Conversion struct {
	File      string  `arg:"" optional:"" type:"path" help:"What to convert: Azure or BurstGPT CSV, ShareGPT, single_turn, multi_turn, inputs.json, Bailian JSONL, OpenTelemetry spans (OTLP JSON), a log of SGLang, Mooncake."`
	Input     string  `name:"input-file" aliases:"input-dataset" type:"path" placeholder:"FILE" help:"The file to convert, as an option instead of an argument."`
	Output    string  `name:"output-file" short:"o" type:"path" default:"-" placeholder:"FILE" help:"The trace; - is standard output."`
	Type      string  `name:"custom-dataset-type" aliases:"format" placeholder:"TYPE" help:"Format of the file. Default: detected from the file."`
	Model     string  `name:"model" help:"BurstGPT: only rows of this model."`
	LogType   string  `name:"log-type" help:"BurstGPT: only rows of this kind of log."`
	Limit     int     `name:"num-prompt" aliases:"num-requests" default:"0" placeholder:"N" help:"So many requests at most."`
	Speedup   float64 `name:"speed-ratio" aliases:"speedup-ratio" default:"1" help:"Divide times by this."`
	BlockSize int     `name:"block-size" default:"512" help:"Tokens of a block id."`
	HashIDs   int     `name:"num-hash-blocks" default:"0" placeholder:"N" help:"Number of different block ids to draw for the prompts; Dynamo's converter draws from 10000. Default: no ids, since drawn ones do not reflect real sharing."`
	Spread    string  `name:"spread-timestamps" enum:"none,even,uniform" default:"none" help:"Move requests that share a timestamp up to the next one: ${enum}."`
	Lenient   bool    `name:"lenient" help:"Skip unreadable lines and count them."`
	AllTurns  bool    `name:"all-turns" help:"Every turn of a ShareGPT conversation, not only the first."`
	Seed      uint64  `name:"seed" aliases:"random-seed" default:"0" help:"Seed of what is drawn."`

	MadeFile
}

// Path is the file to convert.
func (c *Conversion) Path() string {
	if c.File != "" {
		return c.File
	}
	return c.Input
}

// Conversion is what the options ask for, but for the counting of tokens. The error
// lists every fault.
func (c *Conversion) Conversion() (workload.Conversion, error) {
	var bad fault.List
	bad.When((c.File == "") == (c.Input == ""), "give one file to convert")
	c.MadeFile.Faults(&bad, c.Output)
	bad.Positive("speed-ratio", c.Speedup)
	bad.NotNegative("num-prompt", float64(c.Limit))
	bad.NotNegative("num-hash-blocks", float64(c.HashIDs))
	bad.Between("block-size", float64(c.BlockSize), 1, workload.MaxTokens)
	conv := workload.Conversion{
		Read: workload.ReadOptions{Lenient: c.Lenient, AllTurns: c.AllTurns, BlockSize: c.BlockSize, Model: c.Model,
			LogType: c.LogType},
		HashIDs: c.HashIDs, Limit: c.Limit, Key: workload.Seed(c.Seed),
	}
	if c.Speedup != 1 {
		conv.Window = workload.Window{Speedup: c.Speedup}
	}
	var err error
	if conv.Spread, err = workload.ParseSpread(c.Spread); err != nil {
		bad.Add("%s: %w", fault.Field("spread-timestamps"), err)
	}
	if c.Type != "" {
		if conv.Read.Format, err = workload.ParseFormat(c.Type); err != nil {
			bad.Add("%s: %w", fault.Field("custom-dataset-type"), err)
		}
	}
	return conv, bad.Usage()
}
