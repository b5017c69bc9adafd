package report

import (
	"strings"
	"testing"
)

// Every load of every experiment is a row of one table, under the name of its own.
func TestOfLoads(t *testing.T) {
	load := func(n int) Point {
		return Point{Concurrency: n, Runs: []*Loaded{{Concurrency: n, Simulated: n == 8, Metrics: map[string]Stats{
			"time_to_first_token": {Unit: "ms", Values: map[string]float64{"avg": float64(n)}},
			"request_count":       {Values: map[string]float64{"avg": 40}}}}}}
	}
	var tables []*Grid
	for _, s := range OfLoads([]Experiment{{Name: "a", Points: []Point{load(1), load(2)}},
		{Name: "b\x1b[2J", Points: []Point{load(8)}}}, 0).Sections() {
		if s.Table != nil {
			tables = append(tables, s.Table)
		}
	}
	if len(tables) != 1 || len(tables[0].Rows) != 3 {
		t.Fatalf("%d tables: %+v", len(tables), tables)
	}
	last := tables[0].Rows[2]
	if last[0].Text != "b (SIMULATED)" && !strings.HasPrefix(last[0].Text, "b") ||
		strings.Contains(last[0].Text, "\x1b") || last[1].Text != "8" {
		t.Errorf("the last row is %+v", last)
	}
}
