package options

import (
	"errors"
	"fmt"
	"slices"

	"headway/internal/fault"
	"headway/record"
	"headway/workload"
)

// Read reads the input file, so that its faults are known before anything is
// sent. Options that do not go with what is in the file are faults too.
func (p *Plan) Read() error {
	if err := p.readSystem(); err != nil {
		return fault.Usage(err)
	}
	if p.InputFile == "" {
		return nil
	}
	o := workload.ReadOptions{Lenient: p.Lenient, AllTurns: p.AllTurns, BlockSize: p.BlockTokens,
		PartialIDs: p.PartialIDs, LogType: p.LogType, WholeSessions: true}
	if p.StartOffset == nil && (p.Sampling == "" || p.Sampling == "sequential") {
		o.Limit = p.Count.Value // what comes later in the file cannot be asked for
	}
	if p.DatasetType != "" {
		var err error
		if o.Format, err = workload.ParseFormat(p.DatasetType); err != nil {
			return fault.Usage(err)
		}
	}
	d, err := workload.ReadFile(p.InputFile, o)
	if errors.Is(err, workload.ErrNotBuilt) {
		return fault.NotBuilt{What: err.Error(), Instead: "rows with lengths, text or messages are built"}
	}
	if err != nil {
		return fault.Usage(err)
	}
	p.dataset = d
	how, err := workload.ParseSpread(p.Spread)
	if err != nil {
		return fault.Usage(err)
	}
	d.Spread(how, workload.Seed(0).Named("spread"))
	return p.fileFaults()
}

// fileFaults are options that do not go with what is in the file.
func (p *Plan) fileFaults() error {
	d := p.dataset
	var bad fault.List
	if p.IsFixed() && p.Rate.Set {
		bad.Add("%s %g with %s, which has timestamps: give %s to send it at the rate", fault.Field("request-rate"),
			p.Rate.Value, p.InputFile, fault.Field("no-fixed-schedule"))
	}
	if p.IsFixed() && p.Conversations.Set {
		bad.Add("%s with a fixed schedule: use %s or %s", fault.Field("conversation-num"),
			fault.Field("fixed-schedule-end-offset"), fault.Field("request-count"))
	}
	if !p.IsFixed() && (p.StartOffset != nil || p.EndOffset != nil || p.AutoOffset != nil || p.Speedup != 1) {
		bad.Add("%s, -end-offset, -auto-offset and %s need a file with timestamps and a fixed schedule",
			fault.Field("fixed-schedule-start-offset"), fault.Field("synthesis-speedup-ratio"))
	}
	whole := slices.ContainsFunc(d.Requests, func(r workload.Request) bool { return r.Prompt.Payload != nil })
	bad.When(whole && p.systemText != "", "%s or %s: %s has request bodies that are sent as they are",
		fault.Field("system-prompt"), fault.Field("system-prompt-file"), p.InputFile)
	if p.IsFixed() && p.NoDelays {
		bad.Add("%s: a fixed schedule has the file's times; give %s", fault.Field("ignore-trace-delays"),
			fault.Field("no-fixed-schedule"))
	}
	if p.IsFixed() && p.Sampling != "" && p.Sampling != "sequential" {
		bad.Add("%s: a fixed schedule has the file's order; give %s", fault.Field("dataset-sampling-strategy"),
			fault.Field("no-fixed-schedule"))
	}
	return bad.Usage()
}

// FileWarnings are what a reader of the result must know of the file.
func (p *Plan) FileWarnings() []record.Warning {
	d := p.dataset
	if d == nil {
		return nil
	}
	var list []record.Warning
	add := func(code, text string) { list = append(list, record.Warning{Code: code, Text: text}) }
	if d.Skipped > 0 {
		add("lines_skipped", fmt.Sprintf("%d entries of %s were passed over; the first: %v", d.Skipped, d.Name,
			d.FirstSkip))
	}
	if text := d.UnknownFields(); text != "" {
		add("unknown_fields", text)
	}
	if p.IsFixed() && p.Spread == "none" {
		if text := d.Rounded().Warning(); text != "" {
			add("rounded_timestamps", text)
		}
	}
	if d.LiveTurns > 0 || d.RecordedTurns > 0 {
		add("history",
			fmt.Sprintf("later turns: %d with the server's own replies in their history, %d as the file has them",
				d.LiveTurns, d.RecordedTurns))
	}
	return list
}
