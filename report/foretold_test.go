package report

import (
	"strings"
	"testing"

	"headway/record"
)

// A calibrated simulation says of each figure where it is expected, at which level, or
// why that is not known.
func TestForetold(t *testing.T) {
	d := &Document{}
	d.foretold(nil)
	d.foretold(&record.Foretold{Beyond: []string{"prompts of 9 tokens"}, Doubts: []string{"waves"},
		Figures: []record.ForetoldFigure{
			{Metric: "time_to_first_token", Stat: "avg", Unit: "ms", Value: 100, Low: 90, High: 110, Level: 0.9},
			{Metric: "time_to_first_token", Stat: "p99", Unit: "ms", Value: 200, Low: 150, High: 270},
			{Metric: "request_latency", Stat: "avg", Unit: "ms", Value: 300, Why: "it is another server"},
		}})
	var b strings.Builder
	if err := d.Write(&b, ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"90.0–110   90 %", "≈ 150–270   none", "no interval", "it is another server",
		"prompts of 9 tokens", "waves"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
