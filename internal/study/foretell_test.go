package study

import (
	"testing"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/record"
)

// slower is a calibration that takes the times of prompts for known within a factor.
func slower(extent *cluster.Extent, spreads map[string]float64) *cluster.Calibration {
	nothing := func(cluster.Extent) []string { return nil }
	return &cluster.Calibration{
		Basis: func(cluster.Config) string { return "tried" }, Beyond: nothing, Doubts: nothing,
		Draws: func(c cluster.Config) []cluster.Config {
			fast, slow := c, c
			fast.Engine.Timing = engine.Fixed{TTFT: 10 * time.Millisecond, ITL: time.Millisecond}
			slow.Engine.Timing = engine.Fixed{TTFT: 40 * time.Millisecond, ITL: time.Millisecond}
			return []cluster.Config{fast, slow}
		},
		Interval: func(f *record.ForetoldFigure, spread float64, of cluster.Extent, _ cluster.Config) {
			*extent, spreads[f.Metric+" "+f.Stat] = of, spread
			f.Low, f.High, f.Level = f.Value/2, 2*f.Value, 0.9
		},
	}
}

// A calibrated simulation gives each figure its interval, by how much draws differ in it.
func TestForetell(t *testing.T) {
	spreads, extent := map[string]float64{}, cluster.Extent{}
	s := replayed(t, 8, 100)
	s.Cluster.Engine.Timing = engine.Fixed{TTFT: 20 * time.Millisecond, ITL: time.Millisecond}
	s.Cluster.Calibration = slower(&extent, spreads)
	plain, err := s.Run(t.Context())
	if err != nil || plain.Run.Cluster.Foretold != nil {
		t.Fatalf("not asked for: %+v, %v", plain.Run.Cluster.Foretold, err)
	}
	s.Foretell = true
	rep, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := rep.Run.Cluster.Foretold
	if told == nil || len(told.Figures) != len(foretold) {
		t.Fatalf("%+v", told)
	}
	if f := told.Figures[0]; f.Metric != "time_to_first_token" || f.Value != rep.Figure(f.Metric, f.Stat).Value ||
		f.High != 2*f.Value || f.Unit != "ms" {
		t.Errorf("%+v", f)
	}
	if ttft, itl := spreads["time_to_first_token avg"], spreads["inter_token_latency avg"]; ttft < 0.9 || itl > 1e-9 {
		t.Errorf("draws differ by %v in the time to the first token, by %v between tokens", ttft, itl)
	}
	want := cluster.Extent{ISL: [2]int{100, 100}, OSL: [2]int{5, 5}, InFlight: 1}
	if extent != want {
		t.Errorf("the load is %+v, want %+v", extent, want)
	}
}
