package report

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
)

// TestOrderOfRecords checks that a report does not depend on the order in which
// requests ended.
func TestOrderOfRecords(t *testing.T) {
	want := reportOf(t, typical)
	records := typical.Records()
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(records),
		func(i, j int) { records[i], records[j] = records[j], records[i] })
	c := metric.NewCollector(typical.Options(t))
	for _, r := range records {
		if err := c.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	got := &Report{Run: want.Run, Result: c.Result(), Secrets: want.Secrets}
	a := render(t, func(b *bytes.Buffer) error { return want.WriteJSON(b) })
	b := render(t, func(b *bytes.Buffer) error { return got.WriteJSON(b) })
	if !bytes.Equal(a, b) {
		t.Error("shuffled records give another report")
	}
}

func TestConsoleOfNothing(t *testing.T) {
	r := &Report{Result: &metric.Result{Planned: 2, Failed: 2, Failures: []metric.FailureCount{
		{Failure: record.Failure{Class: record.ClassRefused, Type: "ClientConnectorError",
			Message: "connect: refused\x1b[2J"}, Count: 2}}}}
	r.Run.Simulated, r.Run.Cancelled, r.Run.Aborted = true, true, "too many failures"
	got := string(render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{}) }))
	for _, want := range []string{"(SIMULATED)", "No request was answered", "refused [2J", "│  N/A │", "2 failed",
		"Cancelled by the user", "Ended early: too many failures"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("an escape sequence of a server reaches the terminal")
	}
}

// TestColor checks that colour adds styles and changes nothing else.
func TestColor(t *testing.T) {
	r := reportOf(t, typical)
	plain := render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{}) })
	colour := render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{Color: true}) })
	if !bytes.Contains(colour, []byte(styleGreen)) {
		t.Error("no colour")
	}
	bare := strings.NewReplacer(styleBold, "", styleDim, "", styleRed, "", styleGreen, "", styleYellow, "", styleCyan,
		"", styleEnd, "").Replace(string(colour))
	if bare != string(plain) {
		t.Error("colour changes the text")
	}
}

func TestLevelsByRate(t *testing.T) {
	r := reportOf(t, typical)
	r.Run.Concurrency, r.Run.Rate = 0, 12.5
	got := string(render(t,
		func(b *bytes.Buffer) error { return WriteLevels(b, []Level{{[]*Report{r}}}, ConsoleOptions{}) }))
	for _, want := range []string{"┃   Rate ┃", "│ 12.5/s │", "Failed at rate 12.5/s: 2 × 500",
		"missed at 12.5/s (∞ ms)", "(6.17)"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// What we ended ourselves is no failure of the server's.
func TestLevelsNameWhoEndedARequest(t *testing.T) {
	r := reportOf(t, typical)
	r.Result.Failures = []metric.FailureCount{
		{Failure: record.Failure{Class: record.ClassCancelled, Code: 499, Type: "RequestCancellationError"}, Count: 3},
		{Failure: record.Failure{Class: record.ClassHTTP5, Code: 500}, Count: 4},
	}
	got := string(render(t,
		func(b *bytes.Buffer) error { return WriteLevels(b, []Level{{[]*Report{r}}}, ConsoleOptions{}) }))
	for want, is := range map[string]bool{": 3 × 499": true, ": 4 × 500": true, "Failed at concurrency 4: 3": false,
		"Ended by this run at concurrency 4: 3": true} {
		if strings.Contains(got, want) != is {
			t.Errorf("%q: want %v in\n%s", want, is, got)
		}
	}
}

// A warning that differs from level to level says whose figures it has.
func TestLevelsSayWhoseWarningItIs(t *testing.T) {
	var levels []Level
	for i, texts := range [][]string{{"3 of 9 a", "alike"}, {"5 of 9 a", "alike"}, {"5 of 9 a", "alike"}} {
		r := reportOf(t, typical)
		r.Run.Concurrency = i + 1
		r.Run.Warnings, r.Result.Warnings = []record.Warning{{Code: "a", Text: texts[0]},
			{Code: "b", Text: texts[1]}}, nil
		levels = append(levels, Level{[]*Report{r}})
	}
	var b strings.Builder
	d := &Document{}
	levelWarnings(d, levels)
	d.terminal(&b, ConsoleOptions{})
	if want := "Warning (at 1, 2, 3; figures of 1): 3 of 9 a\nWarning: alike\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestCells(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.01234: "0.0123", 1: "1.00", 9.994: "9.99", 9.999: "10.0",
		99.96: "100", 1234.5: "1,234", -12.34: "-12.3"} {
		if got := significant(v); got != want {
			t.Errorf("significant(%v) is %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0.00", 0.0123: "0.012", 0.5: "0.50", 1.26: "1.3", 9.96: "10",
		1234: "1,234"} {
		if got := halfWidth(v); got != want {
			t.Errorf("halfWidth(%v) is %s, want %s", v, got, want)
		}
	}
}

// The time of connecting stands beside the times to first token that hold it.
func TestConnectText(t *testing.T) {
	of := func(values ...float64) metric.Summary { return metric.Summarise(metric.Metric{}, values) }
	result := func(reused, connecting metric.Summary) *metric.Result {
		reused.Metric.Tag, connecting.Metric.Tag = "http_req_connection_reused", "http_req_connecting"
		return &metric.Result{Summaries: []metric.Summary{reused, connecting}}
	}
	whole := result(of(0, 1, 0, 1), of(0.002, 0, 0.004, 0))
	streamed := result(of(0, 1, 0, 1), of(0.002, 0, 0.004, 0))
	ttft := of(0.1, 0.1, 0.1, 0.1)
	ttft.Metric.Tag = "time_to_first_token"
	streamed.Summaries = append(streamed.Summaries, ttft)
	for holds, r := range map[string]*metric.Result{"latency and TTFT hold": streamed, "latency holds": whole} {
		want := "Connecting: 2 of 4 replies opened a connection, in 3.00 ms on average and 4.00 ms at most, which " +
			"their " + holds + " (--preconnect opens them before)"
		if got := (&Report{Result: r}).connecting().lines(); len(got) != 1 || got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for name, r := range map[string]*metric.Result{"all open": result(of(1, 1), of(0, 0)), "not observed": {}} {
		if got := (&Report{Result: r}).connecting().lines(); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}

	// Connections that were opened ahead are in no reply's times and in the figure.
	ahead := record.Run{Header: record.Header{Ahead: &record.Ahead{Count: 3, Mean: 0.002, P50: 0.001, P99: 0.004,
		Max: 0.005}}}
	both := (&Report{Run: ahead, Result: streamed}).connecting()
	want := "Time to connect: 1.00 ms median, 4.00 ms p99, 5.00 ms at most, of 3 connections opened before the " +
		"clock started; no latency holds it"
	if got := both.lines(); len(got) != 2 || got[0] != want {
		t.Errorf("%q, want first %q", got, want)
	}
	var e encoder
	e.value(both.object())
	if want := `{"unit":"ms","ahead":{"count":3,"avg":2.0,"p50":1.0,"p99":4.0,"max":5.0},` +
		`"in_requests":{"count":2,"avg":3.0,"max":4.0}}`; string(e.b) != want {
		t.Errorf("%s, want %s", e.b, want)
	}
}
