package options

import (
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/metric"
)

// Compare says which results are compared, and how.
type Compare struct {
	Folders   []string `arg:"" optional:"" type:"path" placeholder:"DIR" help:"Folders of results, or files of requests; each of the others is compared with the first. A folder may hold several runs of a load, also in folders below it."`
	A         []string `name:"a" type:"path" sep:"none" placeholder:"DIR" help:"Folder of the first side, where a side has several; repeatable."`
	B         []string `name:"b" type:"path" sep:"none" placeholder:"DIR" help:"Folder of the second side, where a side has several; repeatable."`
	Baseline  []string `name:"baseline" type:"path" sep:"none" placeholder:"DIR" help:"Folder with three or more runs of one configuration, whose variation is taken for that of all runs; repeatable."`
	Figures   []string `name:"figures" placeholder:"\"TAG STAT\",…" help:"Figures to compare, such as 'time_to_first_token p99' or 'goodput', in place of the usual ones."`
	Margin    float64  `name:"margin" default:"5" placeholder:"PCT" help:"Largest change, in percent, that counts as the same."`
	Variation float64  `name:"run-variation" default:"5" placeholder:"PCT" help:"Standard deviation between runs, in percent, to assume where each side has one run and there is no --baseline. Not assumed for runs in virtual time."`
	Gates     []string `name:"gate" sep:"none" placeholder:"\"TAG STAT < +PCT%\"" help:"Bound that the second side must keep: of the change, such as 'time_to_first_token p99 < +5%', or of the value, such as 'ttft p99 < 500ms'; repeatable. Exit code 3 when one is missed."`
	Strict    bool     `name:"strict" help:"Exit code 5 when a gate is not decided."`
	Format    string   `name:"format" enum:"terminal,markdown,json,html,junit" default:"terminal" help:"Format on standard output: ${enum}. HTML is one page with the tables and pictures of all sides; JUnit has the gates."`
	Output    []string `name:"output" short:"o" sep:"none" type:"path" placeholder:"FILE" help:"Also write the comparison into this file, in the format of its ending: .md, .json, .html, .xml (JUnit) or .txt; repeatable."`
	JSON      bool     `name:"json" help:"Print the comparison as JSON on standard output: --format json."`
	Quiet     bool     `name:"quiet" short:"q" help:"Only errors: no notes, and no tables where --format is terminal."`
}

// Shown is the format of standard output.
func (c *Compare) Shown() string {
	if c.JSON {
		return "json"
	}
	return c.Format
}

// Printed says that standard output gets the comparison. Quiet withholds what is for
// people at a terminal; another format was asked for.
func (c *Compare) Printed() bool { return !c.Quiet || c.Shown() != "terminal" }

// formats are those of files by their endings.
var formats = map[string]string{".md": "markdown", ".json": "json", ".html": "html", ".htm": "html", ".xml": "junit",
	".txt": "terminal"}

// FormatOf is the format of a file by its ending; empty where that says none.
func (c *Compare) FormatOf(file string) string { return formats[strings.ToLower(filepath.Ext(file))] }

// Faults lists everything that is wrong with the options.
func (c *Compare) Faults(bad *fault.List) {
	switch sides := len(c.A) + len(c.B); {
	case sides > 0 && len(c.Folders) > 0:
		bad.Add("%s, %s and arguments: give the sides in one way", fault.Field("a"), fault.Field("b"))
	case sides > 0:
		bad.When(len(c.A) == 0, "%s is missing: a comparison has two sides", fault.Field("a"))
		bad.When(len(c.B) == 0, "%s is missing: a comparison has two sides", fault.Field("b"))
	default:
		bad.When(len(c.Folders) < 2, "give two folders or more, the first to compare with, or %s and %s",
			fault.Field("a"), fault.Field("b"))
	}
	all := append(slices.Clone(c.Folders), append(slices.Clone(c.A), c.B...)...)
	for i, path := range all {
		bad.When(slices.Contains(all[:i], path), "%s is given twice: two measurements are compared", path)
	}
	bad.Check(c.Margin > 0 && c.Margin < 100, fault.Field("margin"), c.Margin, "above 0 and below 100")
	bad.Between("run-variation", c.Variation, 0, 100)
	bad.When(c.JSON && c.Format != "terminal" && c.Format != "json", "%s and %s %s: give one of them",
		fault.Field("json"), fault.Field("format"), c.Format)
	bad.When(c.Strict && len(c.Gates) == 0, "%s: has no effect without %s", fault.Field("strict"), fault.Field("gate"))
	for _, file := range c.Output {
		format := c.FormatOf(file)
		bad.When(format == "", "%s %s: its ending must be .md, .json, .html, .xml or .txt", fault.Field("output"), file)
		bad.When(format == "junit" && len(c.Gates) == 0, "%s %s: JUnit has gates; give %s", fault.Field("output"), file,
			fault.Field("gate"))
	}
	bad.When(c.Format == "junit" && len(c.Gates) == 0, "%s junit: has no effect without %s", fault.Field("format"),
		fault.Field("gate"))
}

// Named are the figures that were asked for; nil are the usual ones.
func (c *Compare) Named(bad *fault.List) (all []metric.Figure) {
	for _, text := range c.Figures {
		f, err := metric.ParseFigure(text)
		if err != nil {
			bad.Add("%s: %v", fault.Field("figures"), err)
		}
		all = append(all, f)
	}
	return all
}
