package duel

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"headway/internal/compare"
	"headway/internal/plain"
	"headway/internal/study/pages"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// Result is what a duel gave.
type Result struct {
	A, B     string // what the sides are
	Seed     uint64
	Rules    Rules
	Rulings  []Ruling
	Blocks   []Block
	Requests int // measured, of one side in one block
	// Ended says why it ended before all was decided; empty where all was.
	Ended    string
	Warnings []record.Warning
	Invalid  int // blocks in which the client was the bottleneck
}

func (s *Study) result() *Result {
	return &Result{A: s.names[0], B: s.names[1], Seed: s.seed, Rules: s.referee.Rules,
		Rulings: slices.Clone(s.referee.Rulings), Blocks: slices.Clone(s.referee.Blocks),
		Requests: s.Options.Count.Value, Ended: s.why, Warnings: s.referee.Warnings(), Invalid: s.invalid}
}

// Decided, Worse and counted are as of a [Referee].
func (r *Result) referee() *Referee {
	return &Referee{Rules: r.Rules, Blocks: r.Blocks, Rulings: r.Rulings}
}

// Decision is what the result is for a script: missed where B is worse in a figure,
// undecided where a figure is not decided.
func (r *Result) Decision() metric.Decision {
	switch {
	case r.referee().Worse():
		return metric.Missed
	case !r.referee().Decided():
		return metric.NotDecided
	}
	return metric.Met
}

// outcome is what the result is for an exit code: of a duel that an error ended, such as
// a broken side, the error alone says it.
func (r *Result) outcome(err error) Outcome {
	if err != nil {
		return Outcome{}
	}
	undecided := r.Decision() == metric.NotDecided
	return Outcome{Worse: r.Decision() == metric.Missed, Undecided: undecided, Invalid: undecided && r.Invalid > 0}
}

// Document is the result as people read it.
func (r *Result) Document() *report.Document {
	d := &report.Document{}
	g := report.Grid{Title: fmt.Sprintf("headway duel | B %s against A %s", r.B, r.A),
		Columns: []string{"Figure", "A", "B", "change", fmt.Sprintf("%g %% interval", 100*r.Rules.Level), "blocks",
			"word"}}
	for _, x := range r.Rulings {
		g.Rows = append(g.Rows, []report.Cell{{Text: x.Figure.title()}, valued(x.A), valued(x.B),
			{Text: signed(x.Change.Value, x.Change.Unit), Figure: &x.Change, Unit: x.Change.Unit},
			{Text: x.intervalText()}, {Text: fmt.Sprint(x.Blocks)}, {Text: string(x.Word)}})
	}
	d.Table(1, g)
	d.Text(report.Plain, r.summary())
	for _, text := range r.open() {
		d.Text(report.Doubtful, text)
	}
	for _, b := range r.Blocks {
		if b.Dropped != "" {
			d.Text(report.Doubtful, fmt.Sprintf("not counted: block %d, since %s", b.Number+1, b.Dropped))
		}
	}
	for _, w := range r.Warnings {
		d.Text(report.Doubtful, "WARNING: "+w.Text)
	}
	return d
}

// summary says what the words rest on.
func (r *Result) summary() string {
	n := r.referee().Counted()
	text := fmt.Sprintf("%s of %d requests a side; intervals hold at every number of blocks together, for %d figures "+
		"together. The same is within %g %%, of shares within %g points. Seed %d.",
		plain.HowMany(n, "block", "blocks"), r.Requests, len(r.Rulings), 100*r.Rules.Margin, 100*r.Rules.Points, r.Seed)
	if r.Ended != "" {
		text += " Ended: " + strings.TrimSuffix(r.Ended, ".") + "."
	}
	return text
}

// open says of figures that are not decided why, and what it would take.
func (r *Result) open() (lines []string) {
	for _, x := range r.Rulings {
		if x.Word != compare.NotDecided {
			continue
		}
		text := x.Why
		switch {
		case text != "":
		case x.Need >= mostBlocks:
			text = fmt.Sprintf("more than %d blocks, if the change stays as it is", mostBlocks)
		case x.Need > x.Blocks:
			text = fmt.Sprintf("about %d blocks in all (%s requests a side), if the change stays as it is", x.Need,
				plain.Grouped(fmt.Sprint(x.Need*r.Requests)))
		default:
			text = "a few blocks more"
		}
		lines = append(lines, "not decided: "+x.Figure.String()+": "+text)
	}
	return lines
}

// title is a figure with its unit.
func (f Figure) title() string {
	if f.Above {
		return "share of " + f.String()
	}
	m, _ := metric.Lookup(f.Tag)
	return strings.TrimSpace(m.Header+" "+f.Stat) + ", " + m.Unit
}

func valued(e report.Figure) report.Cell {
	text := e.String()
	if e.Unit == "%" && text != "" {
		text += " %"
	}
	return report.Cell{Text: text, Figure: &e, Unit: e.Unit}
}

func (x Ruling) changeText() string {
	s := signed(x.Change.Value, x.Change.Unit)
	if i := x.intervalText(); i != "" {
		s += " (" + i + ")"
	}
	return s
}

func (x Ruling) intervalText() string {
	if x.Blocks == 0 || math.IsNaN(x.Change.Low) {
		return ""
	}
	return signed(x.Change.Low, x.Change.Unit) + " to " + signed(x.Change.High, x.Change.Unit)
}

func signed(v float64, unit string) string {
	if math.IsNaN(v) || unit == "" {
		return "–"
	}
	return strings.Replace(fmt.Sprintf("%+.1f %s", v, unit), "-0.0 ", "+0.0 ", 1)
}

// jsonVersion is that of the format; docs/duel.md describes it.
const jsonVersion = 1

type resultJSON struct {
	Version    int              `json:"headway_duel"`
	A          string           `json:"a"`
	B          string           `json:"b"`
	Decision   metric.Decision  `json:"decision"`
	Ended      string           `json:"ended,omitempty"`
	Seed       uint64           `json:"seed"`
	Confidence float64          `json:"confidence"`
	Margin     float64          `json:"margin_percent"`
	Points     float64          `json:"share_margin_points"`
	Requests   int              `json:"requests_per_side_and_block"`
	Figures    []rulingJSON     `json:"figures"`
	Blocks     []blockJSON      `json:"blocks"`
	Warnings   []record.Warning `json:"warnings,omitempty"`
}

type rulingJSON struct {
	Figure string        `json:"figure"`
	Word   compare.Word  `json:"word"`
	Blocks int           `json:"blocks"`
	A      report.Figure `json:"a"`
	B      report.Figure `json:"b"`
	Change report.Figure `json:"change"`
	Need   int           `json:"need_blocks,omitempty"`
	Why    string        `json:"why,omitempty"`
}

type blockJSON struct {
	Block   int             `json:"block"`
	BFirst  bool            `json:"b_first"`
	A       []record.Number `json:"a,omitempty"`
	B       []record.Number `json:"b,omitempty"`
	Dropped string          `json:"not_counted,omitempty"`
}

// JSON is the result for machines, to be encoded.
func (r *Result) JSON() any {
	out := resultJSON{Version: jsonVersion, A: r.A, B: r.B, Decision: r.Decision(), Ended: r.Ended, Seed: r.Seed,
		Confidence: r.Rules.Level, Margin: 100 * r.Rules.Margin, Points: 100 * r.Rules.Points, Requests: r.Requests,
		Warnings: r.Warnings, Blocks: []blockJSON{}}
	for _, x := range r.Rulings {
		one := rulingJSON{Figure: x.Figure.String(), Word: x.Word, Blocks: x.Blocks, A: x.A, B: x.B, Change: x.Change,
			Why: x.Why}
		if x.Word == compare.NotDecided {
			one.Need = x.Need
		}
		out.Figures = append(out.Figures, one)
	}
	for _, b := range r.Blocks {
		out.Blocks = append(out.Blocks, blockJSON{b.Number + 1, b.BFirst, numbers(b.A), numbers(b.B), b.Dropped})
	}
	return out
}

func numbers(values []Value) (all []record.Number) {
	for _, v := range values {
		all = append(all, record.Number(v.Value))
	}
	return all
}

// shown writes a document in a format.
func shown(d *report.Document, json any, title, format, version string,
	page report.ConsoleOptions) func(io.Writer) error {
	return func(w io.Writer) error {
		switch format {
		case "json":
			return report.WriteIndented(w, json)
		case "html":
			return pages.Beside{Title: title, First: d, Version: version}.Write(w)
		}
		page.Markdown = format == "markdown"
		return d.Write(plain.NewWriter(w, page.Color), page)
	}
}
