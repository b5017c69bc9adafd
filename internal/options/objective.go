package options

import (
	"headway/internal/fault"
	"headway/metric"
)

// Objectives reads --slo-preset and --objective; those of the preset come first.
func Objectives(bad *fault.List, preset string, texts []string) []metric.Objective {
	var all []metric.Objective
	for _, text := range append(presetGoals(bad, preset), texts...) {
		one, err := metric.ParseObjective(text)
		if err != nil {
			bad.Add("%s: %v", fault.Field("objective"), err)
		}
		all = append(all, one)
	}
	return all
}
