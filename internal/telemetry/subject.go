package telemetry

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"headway/record"
)

// who is an engine, or a part of it.
type who struct{ engine, of string }

// subject is what is known of one over time.
type subject struct {
	device        string
	tracks        map[Quantity]*track
	distributions map[Quantity]*distribution
}

// subjects are those of a source.
type subjects map[who]*subject

// mostSubjects is how many a source has: no host has so many GPUs and instances on them.
const mostSubjects = 256

// take sorts the samples of one reading into what they are of. It is not whole where
// there are more subjects than are kept; those that came later are left out.
func (all subjects) take(at record.Time, every time.Duration, samples []Sample) (whole bool) {
	type key struct {
		who
		quantity Quantity
	}
	series := map[key]map[string]float64{}
	parts := map[key][]Sample{}
	whole = true
	for _, s := range samples {
		k := key{who{s.Engine, s.Of}, s.Quantity}
		one := all.of(k.who)
		if one == nil {
			whole = false
			continue
		}
		one.device = cmp.Or(s.Device, one.device)
		if s.Part != "" {
			parts[k] = append(parts[k], s)
			continue
		}
		if series[k] == nil {
			series[k] = map[string]float64{}
		}
		series[k][s.Series] = s.Value
	}
	for k, list := range series {
		one := all.of(k.who)
		if one.tracks[k.quantity] == nil {
			one.tracks[k.quantity] = newTrack(k.quantity, every)
		}
		one.tracks[k.quantity].take(at, list)
	}
	for k, list := range parts {
		one := all.of(k.who)
		if one.distributions[k.quantity] == nil {
			one.distributions[k.quantity] = newDistribution()
		}
		one.distributions[k.quantity].take(list)
	}
	return whole
}

// of is the subject, a new one where it was not known; nil where there are too many.
func (all subjects) of(w who) *subject {
	if all[w] == nil && len(all) < mostSubjects {
		all[w] = &subject{tracks: map[Quantity]*track{}, distributions: map[Quantity]*distribution{}}
	}
	return all[w]
}

func (all subjects) mark() {
	for _, one := range all {
		for _, d := range one.distributions {
			d.mark()
		}
	}
}

// summaries sum up what lies between two times, in the order of engines and GPUs.
func (all subjects) summaries(source string, begin, end record.Time) (list []record.TelemetrySubject) {
	order := slices.SortedFunc(maps.Keys(all), func(a, b who) int {
		return cmp.Or(cmp.Compare(a.engine, b.engine), cmp.Compare(len(a.of), len(b.of)), cmp.Compare(a.of, b.of))
	})
	for _, w := range order {
		s := all[w].summary(begin, end)
		s.Source, s.Engine, s.Of = source, w.engine, w.of
		s.Kind = kindOf(w.engine)
		s.Device = all[w].device
		if s.Kind == KindGPU {
			s.Energy = all[w].energy(begin, end)
		}
		if len(s.Counters)+len(s.Gauges)+len(s.Histograms) > 0 {
			list = append(list, s)
		}
	}
	return list
}

func (one *subject) summary(begin, end record.Time) (s record.TelemetrySubject) {
	s.Counters = map[string]record.TelemetryCounter{}
	s.Gauges = map[string]record.TelemetryGauge{}
	s.Histograms = map[string]record.TelemetryHistogram{}
	for q, k := range one.tracks {
		name := string(q)
		if k.form == counter {
			if by, seconds := k.rose(begin, end); seconds > 0 {
				s.Counters[name] = record.TelemetryCounter{Total: by, Rate: by / seconds, Resets: k.resets}
				s.Seconds = max(s.Seconds, seconds)
			}
			continue
		}
		c := k.within(begin, end)
		if seconds := c.known.Seconds(); seconds > 0 && !math.IsInf(c.most, 0) {
			s.Gauges[name] = k.summed(c, seconds)
			s.Seconds = max(s.Seconds, seconds)
		}
	}
	for q, d := range one.distributions {
		if h, ok := d.share(); ok {
			s.Histograms[string(q)] = h
		}
	}
	return s
}

func (k *track) summed(c cell, seconds float64) record.TelemetryGauge {
	g := record.TelemetryGauge{Mean: c.area / seconds, Max: c.most}
	if k.watched {
		g.Bound = &k.bound
		g.Above = c.above.Seconds()
	}
	return g
}

// leastIntegrated is the shortest phase whose energy is integrated: nvidia-smi gives
// the power of a GPU as the average of a second.
const leastIntegrated = 2 * time.Second

// covering is which share of the measured phase must be known for its energy.
const covering = 0.9

// energy is that of a GPU, by its counter and else by its power; nil where less than
// most of the phase is known. What is missing of the phase is taken to be as the rest.
func (one *subject) energy(begin, end record.Time) *record.TelemetryEnergy {
	whole := time.Duration(end - begin).Seconds()
	if !(whole > 0) {
		return nil
	}
	counted, integrated := math.NaN(), math.NaN()
	if k := one.tracks[Energy]; k != nil {
		if by, seconds := k.steps().rose(begin, end); by > 0 && seconds >= covering*whole {
			counted = by * whole / seconds
		}
	}
	if k := one.tracks[Power]; k != nil {
		c := k.within(begin, end)
		if time.Duration(end-begin) >= leastIntegrated && c.known.Seconds() >= covering*whole {
			integrated = c.area * whole / c.known.Seconds()
		}
	}
	switch {
	case !math.IsNaN(counted) && !math.IsNaN(integrated):
		return &record.TelemetryEnergy{Joules: counted, By: record.EnergyCounter, Integrated: integrated}
	case !math.IsNaN(counted):
		return &record.TelemetryEnergy{Joules: counted, By: record.EnergyCounter}
	case !math.IsNaN(integrated):
		return &record.TelemetryEnergy{Joules: integrated, By: record.EnergyIntegrated}
	}
	return nil
}
