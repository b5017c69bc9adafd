package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"headway/record"
)

// Markdown has every table with every column, a cell on one line, and nothing that
// a name could mean to its reader.
func TestMarkdown(t *testing.T) {
	d := &Document{}
	d.table(table{title: "a | b", columns: []column{{title: "Name"}, {title: "TTFT ms\navg"},
		{title: "Why", left: true}},
		rows: [][]string{{"x_1 | <b>", "24.5\n±1.2", "[a](b) *"}}})
	d.text(styleRed, "Warning: `rm` # not")
	d.text("", "- of the above")
	d.gap()
	d.add(piece{block: "\nworker  1\n"})
	var b bytes.Buffer
	if err := d.Write(&b, ConsoleOptions{Markdown: true, Width: 40, Color: true}); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`### a \| b`, ``, `| Name | TTFT ms avg | Why |`, `|---|---:|---|`,
		`| x\_1 \| &lt;b&gt; | 24.5 ±1.2 | \[a\](b) \* |`, ``,
		"- Warning: \\`rm\\` \\# not", `  - of the above`, ``, "```", "worker  1", "```", ``, ``}, "\n")
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}

// A secret is taken out before its characters are escaped.
func TestMarkdownHasNoSecrets(t *testing.T) {
	d := &Document{secrets: NewRedactor("sk_live*one")}
	d.text("", "the key is sk_live*one")
	d.table(table{title: "t", columns: []column{{title: "a"}}, rows: [][]string{{"sk_live*one"}}})
	d.add(piece{block: "sk_live*one"})
	var b bytes.Buffer
	if err := d.Write(&b, ConsoleOptions{Markdown: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "live") || strings.Count(b.String(), "redacted") != 3 {
		t.Error(b.String())
	}
}

// A document of a real run has the same figures in both forms.
func TestMarkdownOfARun(t *testing.T) {
	r := reportOf(t, typical)
	for _, d := range []*Document{OfRun(r, "", true), OfLevels([]Level{{[]*Report{r}}}, ""),
		OfComparison(routed(t, false))} {
		var text, md bytes.Buffer
		if err := d.Write(&text, ConsoleOptions{Width: 400}); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(&md, ConsoleOptions{Markdown: true}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(text.String(), "\n") {
			cells := strings.Split(strings.Trim(line, "│"), "│")
			for _, c := range cells {
				if c = strings.TrimSpace(c); strings.HasPrefix(line, "│") &&
					!strings.Contains(md.String(), d.escaped(c)) {
					t.Errorf("%q is not in the Markdown", c)
				}
			}
		}
	}
}

// In JSON a cell has the figure behind its text, and no text has a secret.
func TestDocumentJSON(t *testing.T) {
	r := reportOf(t, typical)
	r.Run.Warnings = append(r.Run.Warnings, record.Warning{Text: "key sk_live*one"})
	r.Secrets = NewRedactor("sk_live*one")
	for name, d := range map[string]*Document{"run": OfRun(r, "", false),
		"levels": OfLevels([]Level{{[]*Report{r}}}, "")} {
		var b bytes.Buffer
		if err := d.Write(&b, ConsoleOptions{JSON: true, Width: 40}); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Version  int `json:"headway_document"`
			Sections []Section
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.Version != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Contains(b.String(), "live") || !strings.Contains(b.String(), "redacted") {
			t.Errorf("%s: a secret is in\n%s", name, b.String())
		}
		want := r.Figure("request_throughput", "avg")
		if !hasFigure(got.Sections, want) {
			t.Errorf("%s: no cell has %v", name, want)
		}
	}
}

func hasFigure(all []Section, want Figure) bool {
	for _, s := range all {
		if s.Table == nil {
			continue
		}
		for _, row := range s.Table.Rows {
			for _, c := range row {
				if c.Figure != nil && c.Figure.Value == want.Value && same(c.Figure.Low, want.Low) {
					return true
				}
			}
		}
	}
	return false
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// Every renderer shows a table without lines, in full.
func TestDocumentRows(t *testing.T) {
	d := &Document{}
	d.AddLine("%d rows", 1)
	d.AddGap()
	d.Rows(1, [][]string{{"", "p50"}, {"ttft", "2.5"}})
	for want, o := range map[string]ConsoleOptions{
		"1 rows\n\n        p50\nttft    2.5\n":                   {},
		"- 1 rows\n\n|  | p50 |\n|---|---:|\n| ttft | 2.5 |\n\n": {Markdown: true},
	} {
		var b bytes.Buffer
		if err := d.Write(&b, o); err != nil || b.String() != want {
			t.Errorf("%q, want %q: %v", b.String(), want, err)
		}
	}
}
