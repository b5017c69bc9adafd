package metric

import (
	"strings"
	"testing"
)

func TestParseFigure(t *testing.T) {
	for text, want := range map[string]Figure{
		"ttft p99":                     {Tag: "time_to_first_token", Stat: "p99"},
		" time_to_first_token  mean ":  {Tag: "time_to_first_token", Stat: "avg"},
		"goodput":                      {Tag: "goodput"},
		"output-token-throughput":      {Tag: "output_token_throughput"},
		"inter_token_latency median\n": {Tag: "inter_token_latency", Stat: "p50"},
	} {
		got, err := ParseFigure(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseFigure(got.String()); err != nil || again != got {
			t.Errorf("%q reads as %+v, and that as %+v, %v", text, got, again, err)
		}
	}
	for text, says := range map[string]string{
		"": "want a metric", "ttft p99 < 5": "want a metric", "ttft": "name one of avg", "goodput p99": "leave out",
		"tttf p99": "no metric is called",
	} {
		if _, err := ParseFigure(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	if (Figure{Tag: "goodput"}).Better() != Higher || (Figure{Tag: "nothing"}).Better() != Neutral {
		t.Error("which way is better is not known")
	}
}
