package compare

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"headway/metric"
	"headway/report"
)

func TestParseGate(t *testing.T) {
	for text, want := range map[string]Gate{
		"time_to_first_token p99 < +5%": {Figure: metric.Figure{Tag: "time_to_first_token", Stat: "p99"}, Op: "<",
			Change: true, Bound: 0.05},
		"throughput>=-2.5 %": {Figure: metric.Figure{Tag: "output_token_throughput"}, Op: ">=", Change: true,
			Bound: -0.025},
		"ttft p99 < 0.5s":        {Figure: metric.Figure{Tag: "time_to_first_token", Stat: "p99"}, Op: "<", Bound: 500},
		"error_rate <= 1%":       {Figure: metric.Figure{Tag: "failed_request_rate"}, Op: "<=", Bound: 1},
		"request_throughput > 3": {Figure: metric.Figure{Tag: "request_throughput"}, Op: ">", Bound: 3},
	} {
		want.Text = text
		if got, err := ParseGate(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"":                     "neither a bound of a change",
		"ttft p99":             "neither a bound of a change",
		"ttft < +5%":           "name one of avg",
		"ttft p99 < +1.2.3%":   "is not a change",
		"ttft p99 < -100%":     "above -100",
		"goodput p99 < +5%":    "leave out",
		"first_token p9 < +5%": "no metric is called",
		"throughput > -3":      "end it with %",
		"ttft p99 < +5ms":      "leave out the sign",
	} {
		if _, err := ParseGate(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

func FuzzParseGate(f *testing.F) {
	for _, s := range []string{"ttft p99 < +5%", "goodput >= -3 %", "ttft p99 < 500ms", "itl avg <", "x < +%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseGate(text)
		if err != nil {
			return
		}
		if math.IsNaN(g.Bound) || math.IsInf(g.Bound, 0) || g.Change && g.Bound <= -1 {
			t.Fatalf("%q: %+v", text, g)
		}
		if again, err := ParseGate(g.Text); err != nil || again != g {
			t.Fatalf("%q reads as %+v, and that as %+v, %v", text, g, again, err)
		}
	})
}

func TestDecide(t *testing.T) {
	for _, v := range []struct {
		op        string
		low, high float64
		want      metric.Decision
	}{
		{"<", 1, 2, metric.Met}, {"<", 4, 6, metric.NotDecided}, {"<", 6, 7, metric.Missed},
		{">", 6, 7, metric.Met}, {">=", 1, 2, metric.Missed},
		{"<", 5, 5, metric.Missed}, {"<=", 5, 5, metric.Met}, {">", 5, 5, metric.Missed}, {">=", 5, 5, metric.Met},
		{"<", math.Inf(1), math.Inf(1), metric.Missed},
	} {
		if got := (Gate{Op: v.op}).decide(v.low, v.high, 5); got != v.want {
			t.Errorf("%v to %v %s 5: %s, want %s", v.low, v.high, v.op, got, v.want)
		}
	}
}

func TestJUnit(t *testing.T) {
	verdict := func(d metric.Decision) GateVerdict {
		return GateVerdict{Gate: Gate{Text: "ttft p99 < +5%", Change: true}, Point: "concurrency 4", Decision: d,
			Figure: report.Figure{Value: 7, Low: 6, High: 8}}
	}
	r := &Result{Versus: []Versus{{A: "a&b", B: "c", Gates: []GateVerdict{verdict(metric.Met), verdict(metric.Missed),
		verdict(metric.NotDecided)}}}}
	var b bytes.Buffer
	if err := r.WriteJUnit(&b, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<testsuites tests="3" failures="1" skipped="1">`, `name="c against a&amp;b"`,
		`<failure message="✗ ttft p99 &lt; +5%: missed (+7.0 %, +6.0 % to +8.0 %) at concurrency 4">`,
		"<skipped message="} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := r.WriteJUnit(&b, true); err != nil || !strings.Contains(b.String(), `failures="2" skipped="0"`) {
		t.Errorf("strict: %v\n%s", err, b.String())
	}
	if !r.Missed() || !r.Undecided() {
		t.Error("a missed gate and one that is not decided are not found")
	}
}

// A change is missed, not open, where failed requests made the figure of the second
// side infinite, or left none at all.
func TestGateOfFailures(t *testing.T) {
	fails := made(2, 100, math.Inf(1), 0)
	fails.Result.Failed = 10
	fails.Result.Summaries[2].MeanLow, fails.Result.Summaries[2].MeanHigh = math.NaN(), math.NaN()
	fails.Result.Summaries[2].Why = metric.Reason("infinite")
	silent := made(2, 100, 1, 0.1)
	silent.Result.OK, silent.Result.Failed, silent.Result.Summaries = 0, 400, silent.Result.Summaries[:2]
	sound := made(2, 100, 1, 0.1)
	again := made(2, 100, 1, 0.1)
	alike := []*report.Report{sound, silent, again}
	only := func(r *report.Report) []*report.Report { return []*report.Report{r} }
	for _, c := range []struct {
		name string
		a    *report.Report
		b    []*report.Report
		gate string
		want metric.Decision
	}{
		{"some fail", sound, only(fails), "request_latency avg < +5%", metric.Missed},
		{"a bound from below", sound, only(fails), "request_latency avg > -5%", metric.NotDecided},
		{"some fail on both sides", fails, only(fails), "request_latency avg < +5%", metric.NotDecided},
		{"some failed before", fails, only(sound), "request_latency avg < +5%", metric.NotDecided},
		{"all fail", sound, only(silent), "request_latency avg < +5%", metric.Missed},
		{"all fail, a value", sound, only(silent), "request_latency avg < 5s", metric.Missed},
		{"all of one run fail", sound, alike, "request_latency avg < +5%", metric.Missed},
		{"all of one run fail, a value", sound, alike, "request_latency avg < 5s", metric.Missed},
		{"all of one run fail, their share", sound, alike, "error_rate < +5%", metric.NotDecided},
		{"all fail on both sides", silent, only(silent), "request_latency avg < +5%", metric.NotDecided},
		{"of nothing measured", sound, only(sound), "ttft avg < +5%", metric.NotDecided},
	} {
		g, err := ParseGate(c.gate)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Margin: 0.05, Gates: []Gate{g}}
		res, err := o.Sides([]Side{{Name: "a", Reports: []*report.Report{c.a}},
			{Name: "b", Reports: c.b}}, Side{})
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Versus[0].Gates[0]; got.Decision != c.want || got.Why == "" {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A load that the second side lost leaves gates open there, and one that it has alone
// is held against bounds of values.
func TestGatesOfOneSide(t *testing.T) {
	var gates []Gate
	for _, text := range []string{"request_latency avg < +50%", "request_latency avg < 500ms"} {
		g, err := ParseGate(text)
		if err != nil {
			t.Fatal(err)
		}
		gates = append(gates, g)
	}
	v := sides(t, Options{Gates: gates}, []*report.Report{made(2, 100, 0.1, 0.01), made(4, 100, 0.1, 0.01)},
		[]*report.Report{made(2, 100, 0.1, 0.01), made(8, 100, 1, 0.01)}, nil)
	var got []string
	for _, g := range v.Gates {
		got = append(got, g.Point[:len("concurrency 2")]+" "+string(g.Decision))
	}
	want := []string{"concurrency 2 met", "concurrency 2 met", "concurrency 4 not_decided", "concurrency 4 not_decided",
		"concurrency 8 missed"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
