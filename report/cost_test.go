package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"headway/record"
)

// A run costs the hours of its GPUs and their energy, as far as each has a price and is
// known, and so do its tokens, requests and good requests.
func TestCost(t *testing.T) {
	energy := &record.TelemetryEnergy{Joules: 3000, By: record.EnergyCounter}
	for name, tt := range map[string]struct {
		prices *record.Prices
		gpus   int
		second *record.TelemetryEnergy
		want   float64
		text   string
	}{
		"nothing": {nil, 4, energy, 0, ""},
		"hours": {&record.Prices{GPUHour: 3.6}, 4, energy, 0.04,
			"Cost: $0.04 for 0.0111 GPU hours; $10 for a million output tokens; $0.002 for each request; $0.004 for " +
				"each good request"},
		"of GPUs that are read": {&record.Prices{GPUHour: 3.6}, 0, energy, 0.02, "$0.02 for 0.00556 GPU hours;"},
		"energy":                {&record.Prices{KWh: 0.9}, 0, energy, 0.002, "$0.002 for 0.00222 kWh;"},
		"both": {&record.Prices{GPUHour: 3.6, KWh: 0.9}, 4, energy, 0.042,
			"0.0111 GPU hours and 0.00222 kWh;"},
		"energy is not known": {&record.Prices{GPUHour: 3.6, KWh: 0.9}, 4, nil, 0.04, "$0.04 for 0.0111 GPU hours;"},
		"GPUs are read, not their energy": {&record.Prices{GPUHour: 3.6, KWh: 0.9}, 0, nil, 0.02,
			"Cost: $0.02 for 0.00556 GPU hours;"},
		"nothing is known": {&record.Prices{KWh: 0.9}, 0, nil, 0,
			"Cost: not known, since the energy of the GPUs is not"},
	} {
		r := gpuRun(tt.second)
		r.Run.Prices, r.Run.NumGPUs = tt.prices, tt.gpus
		r.Run.End = r.Run.Begin + record.Time(10*time.Second)
		c, ok := r.Cost()
		if ok != (tt.want > 0) || math.Abs(c.Dollars-tt.want) > 1e-9 || ok && !strings.Contains(c.text(), tt.text) {
			t.Errorf("%s: %+v, %v: %s", name, c, ok, c.text())
		}
		if said := strings.Join(r.energyLines(), "\n"); !strings.Contains(said, tt.text) ||
			tt.text == "" && strings.Contains(said, "Cost:") {
			t.Errorf("%s: said %s", name, said)
		}
	}
}

// A price without a GPU that it is of, and GPUs without energy, say why.
func TestCostAndEnergyThatAreNotKnown(t *testing.T) {
	r := gpuRun(nil)
	r.Run.Prices = &record.Prices{GPUHour: 2}
	if got := r.energyLine(); !strings.HasPrefix(got, "Energy: not known of 1 of 2 GPUs;") {
		t.Error(got)
	}
	r.Run.Telemetry = nil
	if got := r.energyLine(); got != "" {
		t.Error(got)
	}
	if got := r.costLine(); !strings.Contains(got, "--num-gpus") {
		t.Error(got)
	}
}
