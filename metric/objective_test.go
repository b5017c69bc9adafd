package metric

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseObjective(t *testing.T) {
	tests := []struct {
		text string
		want Objective
	}{
		{"time_to_first_token p99 < 500ms", Objective{Tag: "time_to_first_token", Stat: "p99", Op: "<", Bound: 0.5}},
		{"ttft p99<500", Objective{Tag: "time_to_first_token", Stat: "p99", Op: "<", Bound: 0.5}},
		{"TTFT Mean <= 0.5s", Objective{Tag: "time_to_first_token", Stat: "avg", Op: "<=", Bound: 0.5}},
		{"tpot median <= 20000 us", Objective{Tag: "inter_token_latency", Stat: "p50", Op: "<=", Bound: 0.02}},
		{"e2e max < 1.5e3", Objective{Tag: "request_latency", Stat: "max", Op: "<", Bound: 1.5}},
		{"output-token-throughput-per-user p1 >= 30",
			Objective{Tag: "output_token_throughput_per_user", Stat: "p1", Op: ">=", Bound: 30}},
		{"goodput > 10", Objective{Tag: "goodput", Op: ">", Bound: 10}},
		{"goodput > 10 requests/sec", Objective{Tag: "goodput", Op: ">", Bound: 10}},
		{"request_error_rate <= 1", Objective{Tag: "request_error_rate", Op: "<=", Bound: 0.01}},
		{"request_error_rate <= 1%", Objective{Tag: "request_error_rate", Op: "<=", Bound: 0.01}},
		{"benchmark_duration < 500 ms", Objective{Tag: "benchmark_duration", Op: "<", Bound: 0.5}},
		{"adj_request_latency p90 < 2s", Objective{Tag: "adj_request_latency", Stat: "p90", Op: "<", Bound: 2}},
	}
	for _, test := range tests {
		test.want.Text = test.text
		got, err := ParseObjective("  " + test.text + "\n")
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		} else if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestParseObjectiveErrors(t *testing.T) {
	tests := []struct{ text, says string }{
		{"", "want a metric"},
		{"ttft p99 500", "want a metric"},
		{"ttft p99 = 500", "want a metric"},
		{"ttft p99 <", "want a metric"},
		{"ttft p99 < = 5", "not a number"},
		{"time_to_frist_token p99 < 5", `nearest is "time_to_first_token"`},
		{"iitl p99 < 5", `nearest is "inter_token_latency"`},
		{"ttft < 5", "name one of avg, min, max, std, p1, p5"},
		{"ttft p98 < 5", "name one of avg"},
		{"goodput p99 > 5", `leave out "p99"`},
		{"ttft p99 < fast", "not a number"},
		{"ttft p99 < NaN", "not a number"},
		{"ttft p99 < 0x10", "has the unit"},
		{"ttft p99 < 1e999", "too large"},
		{"ttft p99 < 5 tokens", "takes us, ms or s"},
		{"osl avg > 5 ms", `is in "tokens"`},
	}
	for _, test := range tests {
		got, err := ParseObjective(test.text)
		if err == nil {
			t.Errorf("%q: %+v, want an error", test.text, got)
		} else if !strings.Contains(err.Error(), test.says) ||
			!strings.Contains(err.Error(), strings.TrimSpace(test.text)) {
			t.Errorf("%q: the error %q does not say %q", test.text, err, test.says)
		}
	}
}

func TestParseGoodput(t *testing.T) {
	got, err := ParseGoodput("time_to_first_token:5000 inter_token_latency:100ms,output_token_throughput_per_user:20")
	if err != nil {
		t.Fatal(err)
	}
	want := []Objective{
		{Tag: "time_to_first_token", Op: "<=", Bound: 5, Text: "time_to_first_token:5000"},
		{Tag: "inter_token_latency", Op: "<=", Bound: 0.1, Text: "inter_token_latency:100ms"},
		{Tag: "output_token_throughput_per_user", Op: ">=", Bound: 20, Text: "output_token_throughput_per_user:20"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, says := range map[string]string{
		"":                                   "want pairs",
		"ttft":                               "want metric:bound",
		"ttft:":                              "not a number",
		"ttft:5 ttft:6":                      "has a bound already",
		"time_to_first_token:5 ttft:6":       "has a bound already",
		"inter_chunk_latency:5":              "not a figure of a single",
		"goodput:5":                          "not a figure of a single",
		"error_isl:5":                        "not a figure of a single",
		"adj_request_latency:5":              "not a figure of a single",
		"request_latncy:5":                   `nearest is "request_latency"`,
		"request_latency:5 inter_token_late": "want metric:bound",
	} {
		if _, err := ParseGoodput(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: the error %v does not say %q", text, err, says)
		}
	}
}

func TestEveryTagAndAliasParses(t *testing.T) {
	for _, m := range All() {
		for _, name := range append(aliasesOf(m.Tag), m.Tag) {
			text := name + " > 1"
			if m.derive == nil {
				text = name + " p50 > 1"
			}
			o, err := ParseObjective(text)
			if err != nil || o.Tag != m.Tag {
				t.Errorf("%q: %+v %v", text, o, err)
			}
		}
	}
	for alias, tag := range aliases {
		if _, ok := Lookup(tag); !ok {
			t.Errorf("%s is an alias of %s, which is no metric", alias, tag)
		}
		if _, ok := Lookup(alias); ok {
			t.Errorf("the alias %s hides a metric", alias)
		}
	}
}

func FuzzParseObjective(f *testing.F) {
	for _, s := range []string{
		"time_to_first_token p99 < 500ms", "goodput > 10", "ttft avg<=.5s", "e2e max >= -1e3 us",
		"request_error_rate <= 1%", "x y z", "ttft p99 < 1e999", "itl p50 < \x00", "ttft\tp1 >= 5µs",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseObjective(text)
		if err != nil {
			return
		}
		m, ok := Lookup(o.Tag)
		if !ok || math.IsNaN(o.Bound) || math.IsInf(o.Bound, 0) {
			t.Fatalf("%q: %+v", text, o)
		}
		if (o.Stat == "") != (m.derive != nil) || !slices.Contains([]string{"<", "<=", ">", ">="}, o.Op) {
			t.Fatalf("%q: %+v", text, o)
		}
		again, err := ParseObjective(o.String())
		if err != nil || again != o {
			t.Fatalf("%q reads as %+v, and that as %+v, %v", text, o, again, err)
		}
	})
}

func FuzzParseGoodput(f *testing.F) {
	for _, s := range []string{"time_to_first_token:5000 inter_token_latency:100", "ttft:1s,itl:5ms", ":",
		"ttft:1:2", "osl:5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseGoodput(text)
		if err == nil && len(list) == 0 {
			t.Fatalf("%q: no objective and no error", text)
		}
		for _, o := range list {
			m, ok := Lookup(o.Tag)
			if !ok || m.value == nil || math.IsNaN(o.Bound) || math.IsInf(o.Bound, 0) || o.Stat != "" {
				t.Fatalf("%q: %+v", text, o)
			}
		}
	})
}
