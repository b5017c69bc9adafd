package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"headway/metric"
)

// How replies ended is in the JSON, and in the tables where some did neither
// stop nor reach their length.
func TestEndings(t *testing.T) {
	for _, tt := range []struct {
		list []metric.FinishCount
		line string
	}{
		{nil, ""},
		{[]metric.FinishCount{{Reason: "length", Count: 1480}, {Reason: "stop", Count: 2}}, ""},
		{[]metric.FinishCount{{Reason: "length", Count: 1480}, {Reason: "abort", Count: 12},
			{Reason: "content_filter", Count: 8}},
			"finish_reason: 1,480 length, 12 abort, 8 content_filter"},
	} {
		r := reportOf(t, typical)
		r.Result.Finish = tt.list
		console := string(render(t, func(b *bytes.Buffer) error { return r.WriteConsole(b, ConsoleOptions{}) }))
		levels := string(render(t,
			func(b *bytes.Buffer) error { return WriteLevels(b, []Level{{[]*Report{r}}}, ConsoleOptions{}) }))
		for _, got := range []string{console, levels} {
			if tt.line == "" && strings.Contains(got, "finish_reason") || !strings.Contains(got, tt.line) {
				t.Errorf("want %q in\n%s", tt.line, got)
			}
		}
		var file struct {
			Headway struct {
				Finish map[string]int `json:"finish_reasons"`
			} `json:"headway"`
		}
		if err := json.Unmarshal(render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) }), &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Headway.Finish) != len(tt.list) {
			t.Errorf("JSON has %v, want %v", file.Headway.Finish, tt.list)
		}
		for _, f := range tt.list {
			if file.Headway.Finish[f.Reason] != f.Count {
				t.Errorf("JSON has %v, want %v", file.Headway.Finish, tt.list)
			}
		}
	}
}
