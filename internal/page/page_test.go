package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"headway/internal/chart"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/picture"
)

// hostile are texts that a server, a file or a name could bring along to become more
// than text on a page.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<!--<script>`, `"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	"\u2028alert(1)\u2029", `</style><svg onload=alert(1)>`, `javascript:alert(1)`, `{{.Secrets}}`, `]]>`,
	"\x00\x1b[31m",
	`</title></textarea>`, `\u003c/script\u003e`, "`${alert(1)}`",
}

// run is one of so many requests, a tenth of which failed.
func run(name string, n int) picture.Run {
	c := metric.NewCollector(metric.Options{Streaming: true, Concurrency: 4})
	for i := range n {
		start := record.Time(1e6 + i*5e6)
		r := &record.Record{Index: i, Planned: start, Start: start + 1e5, Streamed: true, Outcome: record.OK,
			TokensIn: 100, TokensOut: 3, TokensReasoning: -1}
		for k := range 3 {
			r.Arrivals = append(r.Arrivals, record.Arrival{At: start + record.Time(2e7+k*1e7+i*1e4),
				Kind: record.Content, Tokens: 1})
		}
		r.Done = r.Arrivals[2].At
		if i%10 == 3 {
			r.Arrivals, r.Outcome = nil, record.Failed
			r.Failure = &record.Failure{Class: record.ClassHTTP5, Code: 500, Type: name, Message: name}
		}
		_ = c.Take(r) // never fails
	}
	r := &report.Report{Result: c.Result()}
	r.Run.Model, r.Run.URL, r.Run.Concurrency = name, "http://"+name, 4
	r.Run.Command = "headway run --model " + name
	r.Run.Origin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Run.Warnings = []record.Warning{{Code: "x", Text: name}}
	r.Run.Aborted = name
	return picture.Run{Name: name, Report: r}
}

func content(runs ...picture.Run) Content {
	c := Content{Title: runs[0].Name, What: runs[0].Name, Runs: runs, Version: "0", Untold: []string{runs[0].Name}}
	for i, r := range runs {
		c.Documents = append(c.Documents, Titled{r.Name, report.OfRun(r.Report, r.Name, true), i > 0})
	}
	return c
}

func written(t *testing.T, c Content) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page is one file: it names nothing that would have to be loaded, and its policy
// forbids it.
func TestPageStandsAlone(t *testing.T) {
	text := written(t, content(run("a model", 200), run("b", 200)))
	for _, m := range regexp.MustCompile(`(?:src|href|action|data|url)\s*[=(]\s*"?([^" >)]*)`).FindAllStringSubmatch(
		strings.ReplaceAll(strings.ReplaceAll(text, style, ""), script, ""), -1) {
		if !strings.HasPrefix(m[1], "#") && !strings.HasPrefix(m[1], "data:image/svg&#43;xml;base64,") {
			t.Errorf("it loads %.60q", m[1])
		}
	}
	for _, want := range []string{"default-src &#39;none&#39;", "prefers-color-scheme: dark", "@media print",
		"<h1>a model</h1>", `<table class="requests"`, "headway run --model a model", "20 failed", "Licence of uPlot",
		"Leon Sorokin"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if again := written(t, content(run("a model", 200), run("b", 200))); again != text {
		t.Error("the same results gave another page")
	}
}

// The policy names the hash of the very text that stands in the page.
func TestPolicyIsOfTheScript(t *testing.T) {
	text := written(t, content(run("a", 20)))
	inside := func(from string) string {
		_, rest, _ := strings.Cut(text, from)
		body, _, _ := strings.Cut(rest, "</"+from[1:strings.IndexAny(from, " >")]+">")
		return body
	}
	for name, body := range map[string]string{"script": inside("<script>"), "style": inside("<style>")} {
		want := strings.NewReplacer("'", "&#39;", "+", "&#43;").Replace(hashed(body))
		if body == "" || !strings.Contains(text, name+"-src "+want) {
			t.Errorf("the policy has no hash of the %s", name)
		}
	}
	if strings.Count(text, "<script") != 2 || strings.Count(text, "<style") != 1 {
		t.Error("there is more to run or to style than the policy names")
	}
}

// No text becomes a part of the page: tags and attributes are those of a page with a
// harmless name.
func TestHostileTexts(t *testing.T) {
	shape := func(text string) string {
		tags := regexp.MustCompile(`<[a-zA-Z!/][^>]*>`).FindAllString(text, -1)
		for i, tag := range tags {
			tags[i] = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, `""`)
		}
		return strings.Join(tags, "\n")
	}
	page := func(name string) string { return written(t, content(run(name, 40), run(name, 40))) }
	want := shape(page("harmless"))
	for _, name := range hostile {
		text := page(name)
		if got := shape(text); got != want {
			t.Errorf("%q changed what the page is made of", name)
		}
		_, data, _ := strings.Cut(text, `<script type="application/json" id="data">`)
		data, _, _ = strings.Cut(data, "</script>")
		if strings.ContainsAny(data, "<>&\u2028\u2029") {
			t.Errorf("%q stands unescaped in the data", name)
		}
		var got struct{ Plots []picture.Data }
		if err := json.Unmarshal([]byte(data), &got); err != nil || len(got.Plots) == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// However much was measured, a page has a bound, and says what is not on it.
func TestPageIsBounded(t *testing.T) {
	var runs []picture.Run
	for i := range 30 {
		runs = append(runs, run(fmt.Sprintf("run %d", i), 100))
	}
	c := content(runs...)
	for range 4 {
		c.Pictures = append(c.Pictures, picture.OfMap("map", uneven()))
	}
	text := written(t, c)
	if len(text) > Limit {
		t.Errorf("%d bytes", len(text))
	}
	for _, want := range []string{"only in the folder", "tables of single runs", "Not drawn: 18 more runs",
		"requests of 10 more runs"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

// uneven is a field whose map has many corners.
func uneven() chart.Field {
	f := chart.Field{Title: "a map", X: chart.Axis{Label: "x"}, Y: chart.Axis{Label: "y"}, Z: chart.Axis{Label: "z"}}
	for i := range 60 {
		f.Xs, f.Ys = append(f.Xs, float64(i)), append(f.Ys, float64(i))
		for j := range 60 {
			f.Values = append(f.Values, float64((i*7919+j*104729)%97))
		}
	}
	return f
}

// A picture that is only looked at is on the page, and is nothing for its script.
func TestStillPicture(t *testing.T) {
	c := content(run("a run", 100))
	c.Pictures = []picture.Picture{picture.OfMap("map", uneven())}
	text := written(t, c)
	_, data, _ := strings.Cut(text, `<script type="application/json" id="data">`)
	if !strings.Contains(text, `class="map" alt="a map"`) || strings.Contains(data, "a map") {
		t.Error("a map is not on the page, or in the data of the script")
	}
}

// A run without a request that was sent still has a page.
func TestPageOfNothing(t *testing.T) {
	r := &report.Report{Result: metric.NewCollector(metric.Options{}).Result()}
	text := written(t, content(picture.Run{Name: "nothing", Report: r}))
	if strings.Contains(text, `id="requests"`) || !strings.Contains(text, "nothing") {
		t.Error("a page of nothing shows requests")
	}
}

func TestThinned(t *testing.T) {
	all := run("a", 5000).Report.Result.Overview.Requests
	few := thinned(all, 60)
	if len(few) > 75 || len(few) < 50 {
		t.Errorf("%d of %d requests, at most about 60", len(few), len(all))
	}
	for i := 1; i < len(few); i++ {
		if few[i].Index <= few[i-1].Index {
			t.Fatal("not in the order of their starts")
		}
	}
}

// The title of a column of words stands above them, on the left, and that of figures
// on the right; an empty cell says nothing of its column.
func TestTitlesStandAboveTheirColumns(t *testing.T) {
	cells := func(texts ...string) (row []report.Cell) {
		for _, s := range texts {
			row = append(row, report.Cell{Text: s})
		}
		return row
	}
	g := &report.Grid{Rows: [][]report.Cell{cells("1", "vLLM", "7.5", "", ""), cells("2", "", "N/A", "", "picked")}}
	for column, want := range []bool{false, true, false, false, true, false} {
		if got := worded(g, column); got != want {
			t.Errorf("column %d has words: %v, want %v", column, got, want)
		}
	}
	if text := written(t, content(run("m", 20))); strings.Contains(text, `class="text">avg</th>`) {
		t.Error("the title of a column of figures stands on the left")
	}
}
