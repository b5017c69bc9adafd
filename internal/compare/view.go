package compare

import (
	"io"

	"headway/internal/plain"
	"headway/internal/study/pages"
	"headway/report"
)

// View shows a result.
type View struct {
	// Format is terminal, markdown, json, html or junit.
	Format string
	// Page is how tables are shown in a terminal.
	Page report.ConsoleOptions
	// Strict makes a gate that is not decided a failure in JUnit's report.
	Strict bool
	// Version is the program's, for the page.
	Version string
}

// Of writes the result in the view's format.
func (v View) Of(r *Result) func(io.Writer) error {
	return func(w io.Writer) error {
		switch v.Format {
		case "json":
			return report.WriteIndented(w, r.JSON())
		case "junit":
			return r.WriteJUnit(w, v.Strict)
		case "html":
			return r.page(v.Version).Write(w)
		}
		v.Page.Markdown = v.Format == "markdown"
		return r.Document().Write(plain.NewWriter(w, v.Page.Color), v.Page)
	}
}

// page has the changes first, then the tables of all sides and their curves in the
// same pictures, each with its intervals.
func (r *Result) page(version string) pages.Beside {
	title := ""
	for i, v := range r.Versus {
		if i > 0 {
			title += ", "
		}
		title += v.B + " against " + v.A
	}
	return pages.Beside{All: r.sides, Title: title, First: r.Document(), Version: version}
}
