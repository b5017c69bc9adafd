package report

// Tone is how a sentence of a [Document] is meant.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Good
	Doubtful
	Bad
)

// Text adds a sentence, which a terminal breaks into lines.
func (d *Document) Text(tone Tone, s string) {
	d.text([...]string{"", styleGreen, styleYellow, styleRed}[tone], s)
}

// Table adds a table, whose first keys columns name a row and are aligned to the
// left, as its last one is.
func (d *Document) Table(keys int, g Grid) {
	t := table{title: g.Title, keys: keys}
	for i, title := range g.Columns {
		t.columns = append(t.columns, column{title: title, left: i < keys || i == len(g.Columns)-1})
	}
	for y, cells := range g.Rows {
		row := make([]string, len(cells))
		for x, c := range cells {
			row[x] = c.Text
			if c.Figure != nil {
				e := *c.Figure
				e.Unit = c.Unit
				t.shows(y, x, e)
			}
		}
		t.rows = append(t.rows, row)
	}
	d.table(t)
}
