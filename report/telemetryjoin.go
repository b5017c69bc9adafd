package report

import (
	"cmp"

	"headway/record"
)

// JoinTelemetry sums up what the same servers, GPUs and hosts did in several runs, in
// the order in which they first appear: counters and energy are added, gauges averaged
// by the time that they are known for, of histograms counts and means are kept. Energy
// is that of the runs whose energy is known.
func JoinTelemetry(runs ...*record.Telemetry) []record.TelemetrySubject {
	type who struct{ source, engine, of string }
	var all []record.TelemetrySubject
	at := map[who]int{}
	for _, run := range runs {
		if run == nil {
			continue
		}
		for _, s := range run.Subjects {
			i, known := at[who{s.Source, s.Engine, s.Of}]
			if !known {
				i = len(all)
				at[who{s.Source, s.Engine, s.Of}] = i
				all = append(all, record.TelemetrySubject{Source: s.Source, Kind: s.Kind, Engine: s.Engine, Of: s.Of})
			}
			all[i] = joined(all[i], s)
		}
	}
	return all
}

// joined is a subject over the runs before and another one.
func joined(a, b record.TelemetrySubject) record.TelemetrySubject {
	sum := a
	sum.Device = cmp.Or(b.Device, a.Device)
	sum.Seconds = a.Seconds + b.Seconds
	sum.Counters = joinedMaps(a.Counters, b.Counters, func(x, y record.TelemetryCounter) record.TelemetryCounter {
		total := x.Total + y.Total
		return record.TelemetryCounter{Total: total, Rate: total / max(sum.Seconds, 1e-9), Resets: x.Resets + y.Resets}
	})
	sum.Gauges = joinedMaps(a.Gauges, b.Gauges, func(x, y record.TelemetryGauge) record.TelemetryGauge {
		return record.TelemetryGauge{Mean: weighted(x.Mean, a.Seconds, y.Mean, b.Seconds), Max: max(x.Max, y.Max),
			Bound: cmp.Or(y.Bound, x.Bound), Above: x.Above + y.Above}
	})
	sum.Histograms = joinedMaps(a.Histograms, b.Histograms, joinedTimes)
	sum.Energy = joinedEnergy(a.Energy, b.Energy)
	return sum
}

// joinedTimes are the times of two runs: quantiles cannot be joined.
func joinedTimes(x, y record.TelemetryHistogram) record.TelemetryHistogram {
	return record.TelemetryHistogram{
		Count: x.Count + y.Count,
		Mean:  record.Number(weighted(float64(x.Mean), x.Count, float64(y.Mean), y.Count)),
		P50:   record.Unknown(),
		P90:   record.Unknown(),
		P99:   record.Unknown(),
	}
}

func joinedEnergy(a, b *record.TelemetryEnergy) *record.TelemetryEnergy {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	sum := record.TelemetryEnergy{Joules: a.Joules + b.Joules, By: record.EnergyIntegrated}
	if a.By == b.By {
		sum.By = a.By
	}
	if a.Integrated > 0 && b.Integrated > 0 {
		sum.Integrated = a.Integrated + b.Integrated
	}
	return &sum
}

// joinedMaps joins what is in both; what one alone has stays as it is.
func joinedMaps[V any](a, b map[string]V, both func(a, b V) V) map[string]V {
	if len(a)+len(b) == 0 {
		return nil
	}
	all := make(map[string]V, len(a)+len(b))
	for name, v := range a {
		all[name] = v
	}
	for name, v := range b {
		if before, there := a[name]; there {
			v = both(before, v)
		}
		all[name] = v
	}
	return all
}

// weighted is a mean of two.
func weighted(a, of float64, b, by float64) float64 {
	switch {
	case of <= 0:
		return b
	case by <= 0:
		return a
	}
	return (a*of + b*by) / (of + by)
}
