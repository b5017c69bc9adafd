package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"headway/internal/fault"
	"headway/internal/plain"
	"headway/record"
	"headway/report"
	"headway/workload"
	"headway/workload/synth"
)

// Stdout is the name of a file that is standard output.
const Stdout = "-"

// write writes to a file, whole or not at all, or to standard output.
func write(name string, stdout io.Writer, put func(io.Writer) error) error {
	if name == Stdout {
		return put(stdout)
	}
	return report.WriteFile(name, put)
}

// Drawn is a trace that was drawn, and what to expect of it.
type Drawn struct {
	File        string        `json:"file"`
	Rows        int           `json:"rows"`
	Seed        uint64        `json:"seed"`
	MeanInput   record.Number `json:"expected_input_tokens_mean"`
	HitBlocks   record.Number `json:"expected_hit_rate_blocks"`
	LimitBlocks record.Number `json:"expected_hit_rate_blocks_of_infinitely_many"`
	LimitTokens record.Number `json:"expected_hit_rate_tokens_of_infinitely_many"`
	Lost        []string      `json:"not_kept"`
}

// Draw draws rows of a model into a file, or to stdout where that is named [Stdout].
func Draw(m *synth.Model, o synth.Options, name string, stdout io.Writer) (Drawn, error) {
	d := Drawn{File: name, Seed: o.Seed, Lost: m.Lost(o)}
	err := write(name, stdout, func(w io.Writer) (err error) {
		d.Rows, err = synth.Write(w, m.Draw(o))
		return err
	})
	if err != nil {
		return d, err
	}
	f, err := m.Forecast(o)
	if err != nil {
		return d, fmt.Errorf("forecasting the hit rate: %w", err)
	}
	d.MeanInput, d.HitBlocks = record.Number(f.MeanInput), record.Number(f.HitBlocks)
	d.LimitBlocks, d.LimitTokens = record.Number(f.LimitBlocks), record.Number(f.LimitTokens)
	return d, nil
}

// Lines are what is to be said of it.
func (d Drawn) Lines() []string {
	expected := fmt.Sprintf("expected: mean input %.0f tokens", d.MeanInput)
	if d.HitBlocks.Known() {
		expected += fmt.Sprintf("; a cache that never forgets hits %.1f %% of blocks, of infinitely many rows %.1f "+
			"%% (%.1f %% of tokens)",
			100*d.HitBlocks, 100*d.LimitBlocks, 100*d.LimitTokens)
	}
	return []string{
		fmt.Sprintf("%s in %s, seed %d", plain.HowMany(d.Rows, "row", "rows"), d.File, d.Seed),
		expected,
		"not kept: " + strings.Join(d.Lost, "; "),
	}
}

// Fitted is a model that was fitted. The hit rates are those of a cache that never
// forgets; they are null where nothing is known of prefixes.
type Fitted struct {
	File         string        `json:"file"`
	Rows         int           `json:"rows"`
	HitsInTrace  record.Number `json:"hit_rate_blocks"`
	HitsOfDrawn  record.Number `json:"hit_rate_blocks_of_drawn"`
	KeptComplete bool          `json:"full"`
}

// Fitting says how a model is fitted.
type Fitting struct {
	// Full keeps everything; otherwise the model stays below 200 KB.
	Full bool
	// Compare finds out the hit rates of a full model, too, which takes a while and
	// are those of the trace.
	Compare bool
}

// Fit fits a model to a trace and writes it into a file, or to stdout where that is
// named [Stdout]. A trace that no model can be fitted to is a [fault.UsageError].
func Fit(t *workload.Trace, how Fitting, name string, stdout io.Writer) (Fitted, error) {
	done := Fitted{File: name, Rows: len(t.Rows), KeptComplete: how.Full, HitsInTrace: record.Unknown(),
		HitsOfDrawn: record.Unknown()}
	limits := synth.Compact()
	if how.Full {
		limits = synth.Limits{}
	}
	m, err := synth.Fit(t.Rows, t.BlockSize, limits)
	if err != nil {
		return done, fault.Usage(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return done, fmt.Errorf("writing the model: %w", err)
	}
	err = write(name, stdout, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
	if err != nil || !m.Prefixes || name == Stdout || how.Full && !how.Compare {
		return done, err
	}
	return done, done.compare(t, m)
}

// compare finds out what a cache that never forgets hits.
func (d *Fitted) compare(t *workload.Trace, m *synth.Model) error {
	source, err := synth.Analyze(t.Rows, t.BlockSize)
	if err != nil {
		return err
	}
	f, err := m.Forecast(synth.Options{Requests: len(t.Rows), KeepCorrelation: true})
	d.HitsInTrace, d.HitsOfDrawn = record.Number(source.Reuse.HitBlocks), record.Number(f.HitBlocks)
	return err
}

// Lines are what is to be said of it: of a compact model also what it makes of the
// sharing in the trace.
func (d Fitted) Lines() []string {
	all := []string{fmt.Sprintf("model of %s in %s", plain.HowMany(d.Rows, "row", "rows"), d.File)}
	if math.IsNaN(float64(d.HitsInTrace)) || d.KeptComplete {
		return all
	}
	return append(all,
		fmt.Sprintf("a cache that never forgets hits %.1f %% of blocks in the trace and %.1f %% in what the model "+
			"draws; "+
			"--full keeps everything", 100*d.HitsInTrace, 100*d.HitsOfDrawn))
}
