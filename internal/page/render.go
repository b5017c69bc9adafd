package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"strconv"
	"strings"

	"headway/internal/plain"
	"headway/report"
)

//go:embed assets
var assets embed.FS

// UPlotLicense is the licence of uPlot, which stands on every page.
//
//go:embed assets/uplot/LICENSE
var UPlotLicense string

func asset(name string) string {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(b)
}

// style and script are what the page's policy names by their hashes.
var (
	style  = asset("uplot/uPlot.min.css") + "\n" + asset("page.css")
	script = asset("uplot/uPlot.iife.min.js") + "\n" + asset("page.js")
)

// policy lets the page's own script and style in, pictures that it holds, and
// nothing from anywhere else.
func policy() string {
	return "default-src 'none'; script-src " + hashed(script) + "; style-src " + hashed(style) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// view is what the template fills in.
type view struct {
	Content
	Policy string
	Style  template.CSS
	Script template.JS
	Data   template.JS
	Facts  []fact
	Marks  []mark
	Parts  []part
	Plots  []plot
	Flows  []flow
	Again  []again
	// Folded says that there are folded parts.
	Folded bool
}

// part is a document with its sections.
type part struct {
	ID, Title string
	Folded    bool
	Sections  []report.Section
}

var pages = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"number": func(s string) bool { return numeric(s) },
	"worded": worded,
	"uplot":  func() string { return UPlotLicense },
}).ParseFS(assets, "assets/page.html"))

// render writes the page of all that the content has.
func (c Content) render(w io.Writer) error {
	plots, err := plotsOf(c.pictures())
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"plots": live(plots)})
	if err != nil {
		return err
	}
	c.Title, c.What = plain.Line(c.Title), plain.Line(c.What)
	v := view{Content: c, Policy: policy(), Plots: plots, Facts: c.facts(), Marks: c.marks(),
		Flows: c.flows(), Again: c.again()}
	// Neither a tag nor a comment can begin in it: json.Marshal writes <, > and &,
	// U+2028 and U+2029 as escapes.
	v.Style, v.Script, v.Data = template.CSS(style), template.JS(script), template.JS(data)
	for i, d := range c.Documents {
		v.Folded = v.Folded || d.Folded
		v.Parts = append(v.Parts, part{ID: "part-" + strconv.Itoa(i+1), Title: plain.Line(d.Title), Folded: d.Folded,
			Sections: d.Document.Sections()})
	}
	return pages.ExecuteTemplate(w, "page.html", v)
}

// worded says that a column of a table has words and no figures, so that its title
// stands above them, on the left.
func worded(t *report.Grid, column int) bool {
	some := false
	for _, row := range t.Rows {
		if column >= len(row) || row[column].Text == "" {
			continue
		}
		if numeric(row[column].Text) {
			return false
		}
		some = true
	}
	return some
}

// numeric says that a cell is a figure, which stands to the right.
func numeric(s string) bool {
	s = strings.TrimLeft(s, "≥±–-+∞(")
	return s == "" || s[0] >= '0' && s[0] <= '9' || s == "N/A"
}
