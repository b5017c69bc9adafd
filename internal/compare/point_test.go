package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// made is a live run of a closed loop with means of inputs and of the latency, and
// the interval of that.
func made(concurrency int, input, latency, half float64) *report.Report {
	of := func(tag string, mean float64) metric.Summary {
		m, _ := metric.Lookup(tag)
		return metric.Summary{Metric: m, Count: 400, Mean: mean, MeanLow: math.NaN(), MeanHigh: math.NaN()}
	}
	s := of("request_latency", latency)
	s.MeanLow, s.MeanHigh = latency-half, latency+half
	r := &report.Report{Result: &metric.Result{OK: 400, Summaries: []metric.Summary{
		of("input_sequence_length", input), of("output_sequence_length", 50), s}}}
	r.Run.Header = record.Header{Concurrency: concurrency, Streaming: true, Model: "m", URL: "http://a",
		Config: []byte(`{"isl":100,"max-num-seqs":8,"random-seed":1,"output-dir":"x","request-count":400}`)}
	return r
}

// with is a run with other settings.
func with(r *report.Report, config string) *report.Report {
	r.Run.Config = []byte(config)
	return r
}

func runsFrom(all ...*report.Report) (list []run) {
	for _, r := range all {
		list = append(list, runOf(r))
	}
	return list
}

func TestPoints(t *testing.T) {
	again := made(2, 100, 1, 0.1)
	again.Run.Seed = 7
	other := made(2, 100, 1, 0.1)
	other.Run.URL = "http://b"
	long := made(2, 200, 1, 0.1)
	runs := runsFrom(made(2, 100, 1, 0.1), made(4, 100, 1, 0.1), again, other, long)
	runs[3].name = "b" // another experiment in one folder
	var sizes []string
	for _, p := range pointsOf(runs) {
		sizes = append(sizes, fmt.Sprintf("%s %d", p.label(), len(p.runs)))
	}
	want := []string{"concurrency 2, 100 → 50 tokens 2", "concurrency 2, 100 → 50 tokens 1",
		"concurrency 2, 200 → 50 tokens 1", "concurrency 4, 100 → 50 tokens 1"}
	if !slices.Equal(sizes, want) {
		t.Errorf("%q, want %q", sizes, want)
	}
	// Names that mean something keep apart what is alike otherwise.
	runs = runsFrom(made(2, 100, 1, 0.1), made(2, 100, 1, 0.1))
	runs[0].name, runs[0].pinned, runs[1].name, runs[1].pinned = armed("x on kv", "x on random")
	if n := len(pointsOf(runs)); n != 2 {
		t.Errorf("%d points of two arms", n)
	}
}

func armed(a, b string) (string, bool, string, bool) { return a, true, b, true }

func TestMatch(t *testing.T) {
	a := pointsOf(runsFrom(made(2, 100, 1, 0.1), made(4, 100, 1, 0.1), made(2, 300, 1, 0.1)))
	b := pointsOf(runsFrom(made(2, 305, 1, 0.1), made(2, 104, 1, 0.1), made(8, 100, 1, 0.1),
		with(made(4, 100, 1, 0.1), `{"isl":90}`)))
	pairs, alone := match(a, b)
	var got []string
	for _, p := range pairs {
		got = append(got, p.a.label()+" | "+p.b.label())
	}
	want := []string{"concurrency 2, 100 → 50 tokens | concurrency 2, 104 → 50 tokens",
		"concurrency 2, 300 → 50 tokens | concurrency 2, 305 → 50 tokens"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	text := strings.Join(alone, "\n")
	for _, says := range []string{"concurrency 4, 100 → 50 tokens: only on the first side",
		"concurrency 8, 100 → 50 tokens: only on the second side", "isl 100 against 90", "concurrency 8 against "} {
		if !strings.Contains(text, says) {
			t.Errorf("%q is not in\n%s", says, text)
		}
	}
}

func TestSettings(t *testing.T) {
	a := runsFrom(made(2, 100, 1, 0.1), made(2, 100, 1, 0.1))
	b := runsFrom(with(made(2, 100, 1, 0.1), `{"isl":100,"max-num-seqs":16,"router-mode":"kv","output-dir":"y"}`))
	b[0].others["url"] = "http://user:sk-secret1234567890abcdef@b"
	between, within := differing(a, b)
	var names []string
	for _, d := range between {
		names = append(names, d.Name)
	}
	if want := []string{"max-num-seqs", "request-count", "router-mode", "url"}; !slices.Equal(names, want) {
		t.Errorf("%q differ, want %q", names, want)
	}
	if s := between[0].String(); s != "max-num-seqs: 8 → 16" {
		t.Error(s)
	}
	if s := between[2].String(); s != "router-mode: not set → kv" {
		t.Error(s)
	}
	if strings.Contains(between[3].String(), "sk-secret") {
		t.Error("a secret of an address is shown: ", between[3])
	}
	if len(within) > 0 {
		t.Errorf("%q vary", within)
	}
	a[1].others["client"], b[0].others["client"] = "x", "x"
	a[0].others["client"] = "y"
	b = append(b, b[0])
	b[1].others = map[string]string{"client": "y"}
	if _, within = differing(a, b); !slices.Equal(within, []string{"client: x, y"}) {
		t.Errorf("%q vary", within)
	}
}

// sides compares runs in memory by their mean latency.
func sides(t *testing.T, o Options, a, b, base []*report.Report) Versus {
	t.Helper()
	if o.Margin = 0.05; o.Figures == nil {
		o.Figures = []metric.Figure{{Tag: "request_latency", Stat: "avg"}}
	}
	res, err := o.Sides([]Side{{Name: "a", Reports: a}, {Name: "b", Reports: b}}, Side{Reports: base})
	if err != nil {
		t.Fatal(err)
	}
	return res.Versus[0]
}

func TestSides(t *testing.T) {
	one := func(latency ...float64) (all []*report.Report) {
		for i, l := range latency {
			r := made(2, 100, l, 0.01)
			r.Run.Seed = uint64(i)
			all = append(all, r)
		}
		return all
	}
	small := sides(t, Options{Assumed: 0.05}, one(1), one(1.1), nil).Points[0].Figures[0]
	if small.Word != NotDecided || small.Assumed != 5 || small.Need.Runs < 10 || !near(small.Percent.Value, 10) {
		t.Errorf("10 %% with one run a side: %+v", small)
	}
	if large := sides(t, Options{Assumed: 0.05}, one(1), one(1.3), nil).Points[0].Figures[0]; large.Word != Worse {
		t.Errorf("30 %% with one run a side: %+v", large)
	}
	base := one(1, 1.01, 0.99, 1.005)
	if c := sides(t, Options{Assumed: 0.05}, one(1), one(1.1), base).Points[0].Figures[0]; c.Word != Worse ||
		c.By != ByRuns || c.Assumed != 0 {
		t.Errorf("10 %% with a baseline: %+v", c)
	}
	if c := sides(t, Options{}, one(1, 1.01, 0.99), one(0.9, 0.91, 0.89), nil).Points[0].Figures[0]; c.Word != Better ||
		c.ARuns != 3 {
		t.Errorf("three runs a side: %+v", c)
	}
	slow := one(2)[0] // its client's
	slow.Run.Audit = &record.Audit{Verdict: record.AuditInvalid}
	v := sides(t, Options{}, one(1, 1.01, 0.99), append(one(0.99, 1, 1.01), slow), nil)
	if c := v.Points[0].Figures[0]; c.Word != Same || c.BRuns != 3 || !strings.Contains(v.Warnings[0], "1 of 4 runs") {
		t.Errorf("a run that is not valid among others: %+v, %q", c, v.Warnings)
	}
	gate, err := ParseGate("request_latency avg < +5%")
	if err != nil {
		t.Fatal(err)
	}
	v = sides(t, Options{Gates: []Gate{gate}}, one(1, 1.01, 0.99), one(1.2, 1.21, 1.19), nil)
	if len(v.Gates) != 1 || v.Gates[0].Decision != metric.Missed {
		t.Errorf("%+v", v.Gates)
	}
}

func TestGatesOfValues(t *testing.T) {
	gate := func(text string) Gate {
		g, err := ParseGate(text)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	rate := func(failed float64, latency, half float64) *report.Report {
		r := made(2, 100, latency, half)
		m, _ := metric.Lookup("failed_request_rate")
		r.Result.Scalars = []metric.Scalar{{Metric: m, Value: failed}}
		return r
	}
	drifts := rate(0, 1, math.NaN())
	drifts.Result.Summaries[2].Why = metric.NotStationary
	for _, v := range []struct {
		gate string
		b    []*report.Report
		want metric.Decision
	}{
		{"error_rate <= 1%", []*report.Report{rate(0, 1, 0.1)}, metric.Met},
		{"error_rate <= 1%", []*report.Report{rate(0.02, 1, 0.1)}, metric.Missed},
		{"error_rate <= 1%", []*report.Report{rate(0, 1, 0.1), rate(0, 1, 0.1)}, metric.Met},
		{"e2e avg < 1200ms", []*report.Report{rate(0, 1, 0.1)}, metric.Met},
		{"e2e avg < 1050ms", []*report.Report{rate(0, 1, 0.1)}, metric.NotDecided},
		{"e2e avg < 1050ms", []*report.Report{drifts}, metric.NotDecided},
		{"e2e avg < 900ms", []*report.Report{drifts}, metric.Missed},
		{"ttft avg < 900ms", []*report.Report{drifts}, metric.NotDecided},
		{"e2e avg < 1s", []*report.Report{rate(0, math.Inf(1), 0)}, metric.Missed},
	} {
		got := sides(t, Options{Gates: []Gate{gate(v.gate)}}, []*report.Report{rate(0, 1, 0.1)}, v.b, nil).Gates[0]
		if got.Decision != v.want {
			t.Errorf("%s, want %s", got, v.want)
		}
	}
}

func TestWhatIsNotDecided(t *testing.T) {
	client := made(2, 100, 1, 0.01)
	client.Run.Audit = &record.Audit{Verdict: record.AuditInvalid}
	failing := made(2, 100, math.Inf(1), 0)
	failing.Result.Failed = 100
	for says, r := range map[string]*report.Report{
		"second side: the client was the bottleneck": client,
		"second side: failed requests reach":         failing,
		"second side: a change of 0 is no ratio":     made(2, 100, 0, 0),
		"second side: it has no interval":            made(2, 100, 1, math.NaN()),
	} {
		v := sides(t, Options{}, []*report.Report{made(2, 100, 1, 0.01)}, []*report.Report{r}, nil)
		if c := v.Points[0].Figures[0]; c.Word != NotDecided || !strings.HasPrefix(c.Why, says) {
			t.Errorf("%q, want %q", c.Why, says)
		}
		if r == failing && !strings.Contains(strings.Join(v.Warnings, "\n"), "0 % and 20 % of the requests failed") {
			t.Errorf("warnings: %q", v.Warnings)
		}
	}
}

// What was asked for and is on one side, on neither side, or not in the baseline is
// said.
func TestWhatIsAbsent(t *testing.T) {
	ttft := metric.Figure{Tag: "time_to_first_token", Stat: "avg"}
	all := func(level int) []*report.Report {
		return []*report.Report{made(level, 100, 1, 0.1), made(level, 100, 1, 0.1), made(level, 100, 1, 0.1)}
	}
	v := sides(t, Options{Figures: []metric.Figure{ttft}}, all(2)[:1], all(2)[:1], all(4))
	for _, want := range []string{"the baseline does not count there", "time_to_first_token avg: neither side has it"} {
		if !strings.Contains(strings.Join(v.Warnings, "\n"), want) {
			t.Errorf("%q is not in %q", want, v.Warnings)
		}
	}
	m, _ := metric.Lookup(ttft.Tag)
	one := made(2, 100, 1, 0.1)
	one.Result.Summaries = append(one.Result.Summaries, metric.Summary{Metric: m, Count: 400, Mean: 1})
	v = sides(t, Options{Figures: []metric.Figure{ttft}}, []*report.Report{one}, all(2)[:1], nil)
	if c := v.Points[0].Figures; len(c) != 1 || c[0].Word != NotDecided ||
		c[0].Why != "second side: it was not measured" {
		t.Errorf("a figure of one side: %+v", c)
	}
	usual, err := Options{Margin: 0.05}.Sides([]Side{{Name: "a", Reports: all(2)[:1]},
		{Name: "b", Reports: all(2)[:1]}}, Side{})
	if err != nil || len(usual.Versus[0].Warnings) > 0 {
		t.Errorf("usual figures that are absent: %+v, %v", usual, err)
	}
}

func TestNoCommonLoad(t *testing.T) {
	_, err := Options{Margin: 0.05}.Sides([]Side{{Name: "a", Reports: []*report.Report{made(2, 100, 1, 1)}},
		{Name: "b", Reports: []*report.Report{made(4, 100, 1, 1)}}}, Side{})
	if err == nil || !strings.Contains(err.Error(), "concurrency 2 against 4") {
		t.Error(err)
	}
}

func TestNamesOfSides(t *testing.T) {
	for _, v := range []struct{ paths, want []string }{
		{[]string{"/r/main", "/r/new"}, []string{"main", "new"}},
		{[]string{"/r/main/c8", "/r/new/c8"}, []string{"main/c8", "new/c8"}},
		{[]string{"/r/a/x", "/s/a/x", "/s/b"}, []string{"r/a/x", "s/a/x", "b"}},
	} {
		var got []string
		for _, s := range SidesOf(v.paths) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, v.want) {
			t.Errorf("%q, want %q", got, v.want)
		}
	}
}
