package report

import (
	"encoding/json"
	"io"
	"strings"
)

// Section is a part of a [Document]: exactly one of its fields is set.
type Section struct {
	Table *Grid `json:"table,omitempty"`
	// Text is a sentence.
	Text string `json:"text,omitempty"`
	// Block has lines and columns of its own.
	Block string `json:"block,omitempty"`
	// Tone is how a Text is meant: good, doubtful, bad, or empty. It is in no file.
	Tone string `json:"-"`
}

// tone is what a style of the terminal says.
func tone(style string) string {
	switch style {
	case styleGreen:
		return "good"
	case styleYellow:
		return "doubtful"
	case styleRed:
		return "bad"
	}
	return ""
}

// Grid is a table: text in columns.
type Grid struct {
	Title   string   `json:"title,omitempty"`
	Columns []string `json:"columns"`
	Rows    [][]Cell `json:"rows"`
}

// Cell is one of a table. Text is what a reader sees, on one line; Figure is the
// number behind it with its interval, nil where there is none. Unit is empty where
// the title has it.
type Cell struct {
	Text   string  `json:"text"`
	Figure *Figure `json:"figure,omitempty"`
	Unit   string  `json:"unit,omitempty"`
}

// Sections are the parts in their order, with every column and without secrets.
func (d *Document) Sections() []Section {
	var all []Section
	for _, p := range d.parts {
		switch {
		case p.table != nil:
			all = append(all, Section{Table: p.table(markdownWidth).export(d.flat)})
		case p.text != "":
			all = append(all, Section{Text: d.secrets.Text(p.text), Tone: tone(p.style)})
		case p.block != "":
			all = append(all, Section{Block: strings.Trim(d.secrets.Text(p.block), "\n")})
		}
	}
	return all
}

// flat is text on one line, without secrets.
func (d *Document) flat(s string) string {
	return strings.ReplaceAll(d.secrets.Text(s), "\n", " ")
}

func (t table) export(flat func(string) string) *Grid {
	out := &Grid{Title: flat(t.title), Rows: make([][]Cell, len(t.rows))}
	for _, c := range t.columns {
		out.Columns = append(out.Columns, flat(c.title))
	}
	for y, row := range t.rows {
		for x, text := range row {
			c := Cell{Text: flat(text)}
			if e, ok := t.figures[place{y, x}]; ok {
				c.Figure, c.Unit = &e, e.Unit
			}
			out.Rows[y] = append(out.Rows[y], c)
		}
	}
	return out
}

// documentVersion is that of the format; docs/format-document.md describes it.
const documentVersion = 1

// MarshalJSON writes the sections; docs/format-document.md describes the format.
func (d *Document) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Version  int       `json:"headway_document"`
		Sections []Section `json:"sections"`
	}{documentVersion, append([]Section{}, d.Sections()...)})
}

// WriteIndented writes a value as JSON for people and machines.
func WriteIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
