package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"headway/metric"
	"headway/record"
	"headway/report/internal/fixture"
)

// routedArm is an arm of so many requests with one TTFT, in nanoseconds.
func routedArm(t *testing.T, name string, ttft record.Time, facts *record.Cluster) Arm {
	t.Helper()
	return partlyRouted(t, name, ttft, facts, 0)
}

// partlyRouted is the same of an endpoint that refuses so many of the requests.
func partlyRouted(t *testing.T, name string, ttft record.Time, facts *record.Cluster, refused int) Arm {
	t.Helper()
	run := record.Run{}
	run.Simulated, run.Cluster = true, facts
	return Arm{Name: name, Dir: "case/" + name, Report: &Report{Run: run,
		Result: fixture.Routed(t, ttft, refused)}}
}

func routed(t *testing.T, saturated bool) *Comparison {
	base := &record.Cluster{RouterMode: "round-robin", HitRate: 0.1, IdealHitRate: 0.5, IdealAtSize: 0.4, Offered: 10,
		Completed: 10}
	if saturated {
		base.Completed, base.Saturated = 7.1, true
	}
	own := &record.Cluster{RouterMode: "kv", HitRate: 0.3, IdealHitRate: 0.5, IdealAtSize: 0.4, Offered: 10,
		Completed: 10, EventsApplied: 3}
	c := &Comparison{Benchmark: "trace", Simulated: true, Baseline: "round-robin", XKey: "request_rate",
		XLabel: "Requests/s"}
	for _, x := range []float64{1, 2} {
		c.Cases = append(c.Cases, Case{Name: "case", X: x,
			Arms: []Arm{routedArm(t, "kv", 1e8, own), routedArm(t, "round-robin", 4e8, base)}})
	}
	return c
}

func TestGains(t *testing.T) {
	for _, saturated := range []bool{false, true} {
		c := routed(t, saturated)
		gains := c.Cases[0].Gains("round-robin")
		if len(gains) != 1 || math.Abs(gains[0].TTFTMean.Value-4) > 1e-9 || math.Abs(gains[0].ITLMean.Value-1) > 1e-9 ||
			gains[0].Word != "faster" {
			t.Fatalf("gains %+v", gains)
		}
		var b bytes.Buffer
		if err := c.WriteTable(&b, ConsoleOptions{Width: FullWidth}); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		if got := strings.Contains(text,
			"not a gain to quote: round-robin is saturated: it completed 71 % of offered"); got != saturated {
			t.Errorf("saturated %v, caution %v:\n%s", saturated, got, b.String())
		}
	}
	if got := routed(t, false).Cases[0].Gains("round-robin")[0].Caution; got != "" {
		t.Errorf("of sixty equal requests: %q", got)
	}
	if got := routed(t, false).Cases[0].Gains("nobody"); got != nil {
		t.Errorf("gains over an arm that is not there: %+v", got)
	}
}

// A gain is quoted only of arms that answered, with clients that were good
// enough, and with an interval.
func TestCautions(t *testing.T) {
	for want, spoil := range map[string]func(*Arm){
		"fewer than 5 requests were answered": func(a *Arm) { a.Report.Result.OK = 1 },
		"kv answered 60 of 61 requests":       func(a *Arm) { a.Report.Result.Failed = 1 },
		"the client of kv was doubtful": func(a *Arm) {
			a.Report.Run.Audit = &record.Audit{Verdict: record.AuditDoubtful}
		},
		"its interval is not known": func(a *Arm) { a.Report.Result.Samples = nil },
		"the TTFT of kv drifts": func(a *Arm) {
			p, _ := a.Report.Result.Lead()
			for i := range p.Latencies {
				p.Latencies[i].Why = metric.NotStationary
			}
		},
	} {
		c := routed(t, false)
		spoil(&c.Cases[0].Arms[0])
		if got := c.Cases[0].Gains("round-robin")[0].Caution; !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}

// A cluster that answers too few requests for a rate is saturated all the same.
func TestSaturatedWithoutRate(t *testing.T) {
	c := routed(t, true)
	for i := range c.Cases[0].Arms {
		if cluster := c.Cases[0].Arms[i].Report.Run.Cluster; cluster.Saturated {
			cluster.Completed = record.Unknown()
		}
	}
	got := c.Cases[0].Gains("round-robin")[0].Caution
	if want := "round-robin is saturated: it left requests unanswered"; !strings.Contains(got, want) {
		t.Errorf("%q does not say %q", got, want)
	}
}

// Repeats with seeds of their own: the gain's interval is over them.
func TestGainsOfRepeats(t *testing.T) {
	arm := func(name string, ttft ...record.Time) Arm {
		a := routedArm(t, name, ttft[0], nil)
		for _, v := range ttft[1:] {
			a.Repeats = append(a.Repeats, routedArm(t, name, v, nil).Report)
		}
		return a
	}
	for want, kv := range map[string]Arm{
		"faster":          arm("kv", 1.0e8, 1.02e8, 0.98e8),
		"not decided":     arm("kv", 1.0e8, 2.5e8, 1.9e8),
		"the same within": arm("kv", 2.0e8, 2.02e8, 1.98e8),
		"slower":          arm("kv", 3.0e8, 3.02e8, 2.98e8),
	} {
		g := Case{Arms: []Arm{kv, arm("round-robin", 2e8, 2e8, 2e8)}}.Gains("round-robin")[0]
		if !strings.HasPrefix(g.Word, want) ||
			!(g.TTFTP99.Low <= g.TTFTP99.Value && g.TTFTP99.Value <= g.TTFTP99.High) {
			t.Errorf("%+v, want %s", g, want)
		}
		if wide := strings.Contains(g.Caution, "wider than"); wide != (want == "not decided") {
			t.Errorf("%s: %q", want, g.Caution)
		}
	}
}

func TestComparisonJSON(t *testing.T) {
	var b bytes.Buffer
	if err := routed(t, true).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var d comparisonDocument
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Runs) != 4 || len(d.Gains) != 2 || d.Gains[0].Quotable || d.Runs[0].TTFT["avg"].Value != 100 ||
		!d.Runs[1].Saturated || *d.Runs[2].X != 2 {
		t.Errorf("%s", b.String())
	}
	golden(t, "router_summary.json", b.Bytes())
}

// Endpoints that fail have latencies without end: files say so, and pictures
// leave them out.
func TestComparisonOfEndpointsThatFail(t *testing.T) {
	for _, refused := range []int{2, 30, 59, 60} {
		c := &Comparison{Benchmark: "prefix-ratio", Baseline: "b", XKey: "prefix_ratio", XLabel: "Shared prefix"}
		for _, x := range []float64{0.1, 0.5} {
			arms := []Arm{partlyRouted(t, "a", 1e8, nil, refused), routedArm(t, "b", 4e8, nil)}
			for i := range arms {
				arms[i].Report.Run.Simulated = false
				arms[i].Tiers = []Tier{{0, arms[i].Report.Result}}
			}
			c.Cases = append(c.Cases, Case{Name: "case", X: x, Arms: arms})
		}
		var b bytes.Buffer
		if err := c.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) || strings.Contains(b.String(), `"value": "Infinity"`) != (refused < 60) {
			t.Errorf("%d refused:\n%s", refused, b.String())
		}
		if got := c.Cases[0].Arms[0].Figure("time_to_first_token", "avg").String(); refused < 60 && got != "∞" {
			t.Errorf("%d refused: the mean TTFT is %q", refused, got)
		}
		var table strings.Builder
		if err := c.WriteTable(&table, ConsoleOptions{Width: FullWidth}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(table.String(), "∞ reaches into requests that the server failed") != (refused < 60) {
			t.Errorf("%d refused: the mark is explained where it is not, or the other way round:\n%s", refused,
				table.String())
		}
		for _, g := range c.Cases[0].Gains("b") {
			if g.Caution == "" || g.Word == "faster" {
				t.Errorf("%d refused, and a gain to quote: %+v", refused, g)
			}
		}
	}
}
