package sla

import (
	"strconv"

	"headway/internal/profile"
)

// readUnfinished makes a result of the outcomes that a search has left which came
// to no end. It wraps [fs.ErrNotExist] where there are none.
func readUnfinished(dir string) (Result, []string, error) {
	kept, err := profile.ReadOutcomes(dir)
	if err != nil {
		return Result{}, nil, err
	}
	number := func(option string) float64 {
		v, _ := strconv.ParseFloat(kept.Settings[option], 64) // 0 is as good as unknown
		return v
	}
	r := Result{
		Model:   kept.Settings["model"],
		GPU:     kept.Settings["gpu"],
		Backend: kept.Settings["backend"],
		On:      kept.Settings["on"],
		Method:  kept.Settings["search"],
		ISL:     int(number("isl")),
		OSL:     int(number("osl")),
		TTFT:    number("ttft"),
		ITL:     number("itl"),
		Repeats: int(number("repeats")),
		Prefill: PhaseResult{Outcomes: kept.Of(profile.Prefill)},
		Decode:  PhaseResult{Outcomes: kept.Of(profile.Decode)},
	}
	for _, o := range kept.Outcomes {
		r.Minutes += o.GPUMinutes
		r.Simulated = r.Simulated || o.Simulated
	}
	return r, kept.Untold, nil
}
