//go:build linux

package lane

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// figure is a mean with its 95 % interval.
type figure struct{ Value, Low, High float64 }

// mean is the part of a measure's figures that is compared.
type mean struct{ Avg figure }

// summary is what is compared of a router benchmark's results_summary.json.
type summary struct {
	Runs  []variant
	Gains []gain
}

// variant is a router mode under a load; times in milliseconds.
type variant struct {
	Name   string
	Client string // the verdict on headway itself: valid, doubtful or invalid
	TTFT   mean   `json:"time_to_first_token_ms"`
	ITL    mean   `json:"inter_token_latency_ms"`
}

// gain says how many times better kv is than round-robin.
type gain struct {
	TTFT      float64 `json:"time_to_first_token_avg"`
	ITL       float64 `json:"inter_token_latency_avg"`
	Intervals map[string][]float64
}

func (g gain) ttft() figure { return g.figure("time_to_first_token_avg", g.TTFT) }
func (g gain) itl() figure  { return g.figure("inter_token_latency_avg", g.ITL) }

// figure is a gain of the name, with its interval where it has one.
func (g gain) figure(name string, value float64) figure {
	f := figure{Value: value, Low: value, High: value}
	if i := g.Intervals[name]; len(i) == 2 {
		f.Low, f.High = i[0], i[1]
	}
	return f
}

// readSummary reads the summary of a benchmark of two variants under one load.
func readSummary(t *testing.T, dir string) summary {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results_summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Runs) != 2 || s.Runs[0].Name != "kv" || len(s.Gains) != 1 {
		t.Fatalf("%s: %d runs and %d gains, want those of kv against round-robin", dir, len(s.Runs), len(s.Gains))
	}
	return s
}
