package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

const timelineHead = `{"headway_telemetry":1,"origin":"2026-01-02T03:04:05Z","interval_s":1,` +
	`"sources":["http://a","dcgm"]}` + "\n"

// Counters become rates, restarts leave a hole, lines that are none are counted.
func TestTimelines(t *testing.T) {
	got, err := ReadTimelines(strings.NewReader(timelineHead+
		`{"t_s":1,"source":0,"kind":"server","engine":"vllm","values":{"running":3,"generated_tokens":100}}
{"t_s":2,"phase":"begin"}
{"t_s":3,"source":0,"kind":"server","engine":"vllm","values":{"running":5,"generated_tokens":300}}
{"t_s":4,"source":0,"kind":"server","engine":"vllm","values":{"running":5,"generated_tokens":10}}
{"t_s":4,"source":1,"error":"connection refused"}
{"t_s":5,"source":0,"kind":"server","engine":"vllm","values":{"running":0,"generated_tokens":60}}
{"t_s":5,"source":7,"values":{"running":1}}
nonsense
{"t_s":6,"phase":"end"}
`), 100)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", got.All); got.Skipped != 2 || got.Begin != 2 || got.End != 6 || text !=
		"[{Source:http://a Kind:server Engine:vllm Of: Name:generated_tokens Rate:true Times:[3 5] Values:[100 50]} "+
			"{Source:http://a Kind:server Engine:vllm Of: Name:running Rate:false Times:[1 3 4 5] Values:[3 5 5 0]}]" {
		t.Errorf("%+v", got)
	}
	if _, err := ReadTimelines(strings.NewReader(`{"t_s":1}`), 100); err == nil {
		t.Error("a file without a head was read")
	}
}

// However long a file is, a timeline has no more points than asked for, and its mean
// stays.
func TestTimelinesAreBounded(t *testing.T) {
	for _, n := range []int{1, 2, 99, 100, 101, 102, 1000, 4097} {
		var b strings.Builder
		b.WriteString(timelineHead)
		for i := 1; i <= n; i++ {
			fmt.Fprintf(&b, `{"t_s":%d,"source":1,"kind":"gpu","engine":"dcgm","of":"0","values":{"power":%d}}`, i, i)
			b.WriteString("\n")
		}
		got, err := ReadTimelines(strings.NewReader(b.String()), 100)
		if err != nil {
			t.Fatal(err)
		}
		x := got.All[0]
		sum, before := 0.0, 0.0
		for i, v := range x.Values {
			sum += v * (x.Times[i] - before)
			before = x.Times[i]
		}
		if mean := sum / float64(n); len(x.Times) > 100 || len(x.Values) != len(x.Times) || before != float64(n) ||
			math.Abs(mean-float64(n+1)/2) > 1e-6*float64(n) {
			t.Errorf("%d: %d points to %g, mean %g", n, len(x.Times), before, mean)
		}
	}
}
