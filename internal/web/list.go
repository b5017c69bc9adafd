package web

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"headway/internal/plain"
	"headway/record"
	"headway/report"
)

// row is an entry as the list shows it. Figures are those of the load with the most
// output tokens a second.
type row struct {
	entry
	Picked                      bool
	Model, Load, Date           string
	TTFT, ITL, Tokens, Requests string
	Verdict                     string
	ttft, itl, tokens           float64
}

// listed is the list and its settings, which are all in the address.
type listed struct {
	Title, Search, Sort string
	Rows                []row
	All, Most           int
	Cut                 bool
	Sorts               []sorting
}

// sorting is an order of the list.
type sorting struct{ Name, Title string }

var sortings = []sorting{{"name", "name"}, {"new", "newest first"}, {"tokens", "most tokens/s first"},
	{"ttft", "lowest TTFT first"}, {"itl", "lowest ITL first"}}

// list shows what lies in the folder. A folder that is one result is that result.
func (s *Results) list(w http.ResponseWriter, r *http.Request) {
	all, cut, err := s.scan()
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error(), "/")
		return
	}
	if len(all) == 1 && all[0].Path == "." {
		s.result(w, r, all[0])
		return
	}
	q := r.URL.Query()
	l := listed{Title: filepath.Base(s.Dir), Search: q.Get("q"), Sort: cmp.Or(q.Get("sort"), "name"), All: len(all),
		Most: mostBeside, Cut: cut, Sorts: sortings}
	for _, e := range all {
		one := s.row(e)
		one.Picked = slices.Contains(q["r"], e.Path)
		if one.Picked || one.matches(l.Search) {
			l.Rows = append(l.Rows, one)
		}
	}
	order(l.Rows, l.Sort)
	show(w, http.StatusOK, "list.html", l)
}

// matches says whether every word of a search stands in the row.
func (r row) matches(search string) bool {
	text := strings.ToLower(strings.Join([]string{r.Name, r.Kind, r.Model, r.Load, r.Verdict}, " "))
	for _, word := range strings.Fields(strings.ToLower(search)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// order sorts rows; what is not known comes last.
func order(rows []row, by string) {
	last := func(v float64) float64 {
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		return v
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		switch by {
		case "new":
			return b.When.Compare(a.When)
		case "tokens":
			return cmp.Compare(last(-a.tokens), last(-b.tokens))
		case "ttft":
			return cmp.Compare(last(a.ttft), last(b.ttft))
		case "itl":
			return cmp.Compare(last(a.itl), last(b.itl))
		}
		return 0
	})
}

// row reads what the list shows of an entry.
func (s *Results) row(e entry) row {
	r := row{entry: e, Date: e.When.Format(time.DateTime), ttft: math.NaN(), itl: math.NaN(), tokens: math.NaN()}
	var best *report.Loaded
	var loads []int
	simulated := false
	for _, path := range e.summaries {
		l := s.cache.load(filepath.Join(s.Dir, filepath.FromSlash(path)))
		if l == nil {
			r.Verdict = "unreadable"
			continue
		}
		if l.Concurrency > 0 {
			loads = append(loads, l.Concurrency)
		}
		simulated = simulated || l.Simulated
		r.judge(l)
		if best == nil || value(l, "output_token_throughput") > value(best, "output_token_throughput") {
			best = l
		}
	}
	if best != nil {
		r.figures(best)
	}
	r.Load = cmp.Or(loadText(loads), r.Load)
	if simulated {
		r.Kind += ", simulated"
	}
	return r
}

// judge adds the verdict on a run: the worst of several is shown.
func (r *row) judge(l *report.Loaded) {
	switch {
	case l.Verdict == record.AuditInvalid || r.Verdict == "invalid":
		r.Verdict = "invalid"
	case l.Cut():
		r.Verdict = "cut short"
	case l.Verdict != "" && r.Verdict != "cut short" && r.Verdict != string(record.AuditDoubtful):
		r.Verdict = string(l.Verdict)
	}
}

// figures are those of one load.
func (r *row) figures(l *report.Loaded) {
	r.Model = plain.Line(l.Model)
	if l.Rate > 0 {
		r.Load = fmt.Sprintf("%g requests/s", l.Rate)
	}
	if ms, _, _, ok := l.Milliseconds("time_to_first_token", "p50"); ok {
		r.ttft, r.TTFT = ms, short(ms)
	}
	if ms, _, _, ok := l.Milliseconds("inter_token_latency", "p50"); ok {
		r.itl, r.ITL = ms, short(ms)
	}
	r.tokens = value(l, "output_token_throughput")
	r.Tokens, r.Requests = short(r.tokens), short(value(l, "request_throughput"))
}

func value(l *report.Loaded, tag string) float64 {
	if v, ok := l.Value(tag, "avg"); ok {
		return v
	}
	return math.NaN()
}

// short writes a figure with three digits, or none that is not known.
func short(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case v >= 100:
		return plain.Grouped(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// loadText is the concurrency of a run, or the range of a sweep.
func loadText(loads []int) string {
	if len(loads) == 0 {
		return ""
	}
	low, high := slices.Min(loads), slices.Max(loads)
	if low == high {
		return fmt.Sprintf("concurrency %d", low)
	}
	return fmt.Sprintf("concurrency %d–%d", low, high)
}

// Address is where the entry is opened.
func (e entry) Address() string { return "/open?" + url.Values{"r": {e.Path}}.Encode() }
