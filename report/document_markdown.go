package report

import "strings"

// markdown renders the document as GitHub's Markdown: tables under headings,
// sentences as lists, columns of their own as code.
func (d *Document) markdown(b *strings.Builder) {
	list := false
	for _, p := range d.parts {
		if list && p.text == "" {
			b.WriteByte('\n')
		}
		list = p.text != ""
		switch {
		case p.table != nil:
			p.table(markdownWidth).markdown(b, d.escaped)
		case p.text != "":
			d.item(b, p.text)
		case p.block != "":
			b.WriteString("```\n" + strings.Trim(d.secrets.Text(p.block), "\n") + "\n```\n\n")
		}
	}
}

// markdownWidth is that of a page on which nothing has to give way.
const markdownWidth = 1 << 12

// escaped is text without secrets that means nothing to a reader of Markdown, on
// one line. Secrets go first: one with an escape in it would not be found.
func (d *Document) escaped(s string) string { return markdownEscapes.Replace(d.secrets.Text(s)) }

// item is a sentence; one that begins with a dash or is indented is about the one
// before.
func (d *Document) item(b *strings.Builder, text string) {
	if rest, sub := strings.CutPrefix(text, "- "); sub {
		text = "  " + rest
	}
	for strings.HasPrefix(text, "  ") {
		b.WriteString("  ")
		text = text[2:]
	}
	b.WriteString("- " + d.escaped(text) + "\n")
}

// markdown writes a table, every cell on one line.
func (t table) markdown(b *strings.Builder, escaped func(string) string) {
	if t.title != "" {
		b.WriteString("### " + escaped(t.title) + "\n\n")
	}
	head, marks := make([]string, len(t.columns)), make([]string, len(t.columns))
	for i, c := range t.columns {
		head[i], marks[i] = escaped(c.title), "---:"
		if c.left || i == 0 {
			marks[i] = "---"
		}
	}
	b.WriteString("| " + strings.Join(head, " | ") + " |\n|" + strings.Join(marks, "|") + "|\n")
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = escaped(c)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	b.WriteByte('\n')
}

var markdownEscapes = strings.NewReplacer("\n", " ", `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "|", `\|`,
	"<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`)
