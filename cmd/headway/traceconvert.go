package main

import (
	"context"
	"fmt"
	"io"

	"headway/internal/tokenizer"
	"headway/report"
	"headway/workload"
)

// traceConvertCmd makes a Mooncake trace of another file.
type traceConvertCmd struct {
	File      string  `arg:"" optional:"" type:"path" help:"What to convert: Azure or BurstGPT CSV, ShareGPT, single_turn, multi_turn, inputs.json, Mooncake."`
	Input     string  `name:"input-file" aliases:"input-dataset" type:"path" placeholder:"FILE" help:"The same, as an option."`
	Output    string  `name:"output-file" short:"o" type:"path" default:"-" placeholder:"FILE" help:"The trace; - is standard output."`
	Type      string  `name:"custom-dataset-type" aliases:"format" placeholder:"TYPE" help:"Format of the file. Default: found out."`
	Model     string  `name:"model" help:"BurstGPT: only rows of this model."`
	LogType   string  `name:"log-type" help:"BurstGPT: only rows of this kind of log."`
	Limit     int     `name:"num-prompt" aliases:"num-requests" default:"0" placeholder:"N" help:"So many requests at most."`
	Speedup   float64 `name:"speed-ratio" aliases:"speedup-ratio" default:"1" help:"Divide times by this."`
	BlockSize int     `name:"block-size" default:"512" help:"Tokens of a block id."`
	HashIDs   int     `name:"num-hash-blocks" default:"0" placeholder:"N" help:"Give prompts block ids drawn from so many; Dynamo's converter draws from 10000. Default: none, since they say nothing true about sharing."`
	Spread    string  `name:"spread-timestamps" enum:"none,even,uniform" default:"none" help:"Move requests that share a timestamp up to the next one: ${enum}."`
	Lenient   bool    `name:"lenient" help:"Skip unreadable lines and count them."`
	AllTurns  bool    `name:"all-turns" help:"Every turn of a ShareGPT conversation, not only the first."`
	Seed      uint64  `name:"seed" aliases:"random-seed" default:"0" help:"Seed of what is drawn."`
}

// Help is shown below the options.
func (traceConvertCmd) Help() string {
	return `Examples:

  headway trace convert azure.csv -o azure.jsonl
  headway trace convert BurstGPT.csv --model GPT-4 --num-prompt 10000 -o burst.jsonl
  headway trace convert trace.jsonl --spread-timestamps even -o spread.jsonl`
}

func (c *traceConvertCmd) run(_ context.Context, a app) (int, error) {
	conv, err := c.conversion()
	if err != nil {
		return exitUsage, err
	}
	path := c.File
	if path == "" {
		path = c.Input
	}
	var d *workload.Dataset
	var n int
	convert := func(w io.Writer) (err error) {
		d, n, err = conv.File(path, w)
		return err
	}
	if c.Output == "-" {
		err = convert(a.stdout)
	} else {
		err = report.WriteFile(c.Output, convert)
	}
	if err != nil {
		return exitUsage, usageError{err}
	}
	a.noteSkipped(d.Skipped, d.FirstSkip)
	if d.Unwanted > 0 {
		a.note("%s left out, of other models or kinds of log", howMany(d.Unwanted, "row was", "rows were"))
	}
	if conv.Spread == workload.AsRecorded {
		if w := d.Rounded().Warning(); w != "" {
			a.note("warning: %s", w)
		}
	}
	a.note("%s from %s (%s) in %s", howMany(n, "request", "requests"), path, d.Format, c.Output)
	return exitDone, nil
}

// conversion reads the options; the error lists every fault.
func (c *traceConvertCmd) conversion() (workload.Conversion, error) {
	var bad faultList
	if (c.File == "") == (c.Input == "") {
		bad.add("give one file to convert")
	}
	bad.positive("speed-ratio", c.Speedup)
	bad.notNegative("num-prompt", float64(c.Limit))
	bad.notNegative("num-hash-blocks", float64(c.HashIDs))
	bad.between("block-size", float64(c.BlockSize), 1, workload.MaxTokens)
	conv := workload.Conversion{
		Read:    workload.ReadOptions{Lenient: c.Lenient, AllTurns: c.AllTurns, BlockSize: c.BlockSize, Model: c.Model, LogType: c.LogType},
		HashIDs: c.HashIDs, Limit: c.Limit, Key: workload.Seed(c.Seed),
	}
	if c.Speedup != 1 {
		conv.Window = workload.Window{Speedup: c.Speedup}
	}
	var err error
	if conv.Spread, err = workload.ParseSpread(c.Spread); err != nil {
		bad.add("--spread-timestamps: %v", err)
	}
	if c.Type != "" {
		if conv.Read.Format, err = workload.ParseFormat(c.Type); err != nil {
			bad.add("--custom-dataset-type: %v", err)
		}
	}
	t, err := tokenizer.Builtin()
	if err != nil {
		return conv, fmt.Errorf("loading the tokenizer: %w", err)
	}
	conv.Count = t.Count
	return conv, bad.err()
}
