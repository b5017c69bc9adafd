package report

import (
	"fmt"
	"math"

	"headway/record"
)

// Energy is what the GPUs of a run took in its measured phase.
type Energy struct {
	GPUs   int
	Joules float64
	// Counted says that all of it is by the GPUs' own counters.
	Counted bool
	// Tokens, Requests and Good are the output tokens that were made, the requests that
	// were answered, and those of them that met the goodput objectives; 0 where there
	// are none, or none is known.
	Tokens, Requests, Good float64
}

// Each is the energy for each of so many, in joules; NaN for none.
func (e Energy) Each(n float64) float64 { return known(n > 0, e.Joules/n) }

// Plus is the energy of two runs on the same GPUs.
func (e Energy) Plus(other Energy) Energy {
	return Energy{
		GPUs:     max(e.GPUs, other.GPUs),
		Joules:   e.Joules + other.Joules,
		Counted:  e.Counted && other.Counted,
		Tokens:   e.Tokens + other.Tokens,
		Requests: e.Requests + other.Requests,
		Good:     e.Good + other.Good,
	}
}

// By is how all of it was found: [record.EnergyCounter] or [record.EnergyIntegrated].
func (e Energy) By() string {
	if e.Counted {
		return record.EnergyCounter
	}
	return record.EnergyIntegrated
}

// Energy is that of all GPUs that were read, each once; ok says that every one of them
// tells it. What others did with the GPUs meanwhile is in it.
func (r *Report) Energy() (e Energy, ok bool) {
	e.Counted = true
	for _, one := range r.gpuEnergies() {
		if one == nil {
			return Energy{}, false
		}
		e.GPUs++
		e.Joules += one.Joules
		e.Counted = e.Counted && one.By == record.EnergyCounter
	}
	e.Tokens, e.Requests = r.outputTokens(), float64(r.Result.OK)
	good, _ := r.Result.Scalar("good_request_count")
	e.Good = good.Value
	return e, e.GPUs > 0
}

// gpuEnergies are those of the GPUs that were read.
func (r *Report) gpuEnergies() []*record.TelemetryEnergy {
	if r.Run.Telemetry == nil {
		return nil
	}
	return energies(r.Run.Telemetry.Subjects)
}

// energies are those of the GPUs, nil of one that does not tell it. Of a GPU that several
// sources tell of (two exporters on one host, an exporter and nvidia-smi) a counter is
// taken before power over time.
func energies(subjects []record.TelemetrySubject) []*record.TelemetryEnergy {
	var all []*record.TelemetryEnergy
	at := map[string]int{}
	for _, s := range subjects {
		if s.Kind != "gpu" {
			continue
		}
		i, known := at[s.Device]
		if s.Device == "" || !known {
			at[s.Device] = len(all)
			all = append(all, s.Energy)
			continue
		}
		if had := all[i]; s.Energy != nil && (had == nil || had.By != record.EnergyCounter) &&
			(had == nil || s.Energy.By == record.EnergyCounter) {
			all[i] = s.Energy
		}
	}
	return all
}

// outputTokens are all that were made in the measured phase; 0 where not known.
func (r *Report) outputTokens() float64 {
	if rate, ok := r.Result.Whole.Rate("output_token_throughput"); ok {
		return rate.Value * r.Result.Whole.Duration
	}
	total, _ := r.Result.Scalar("total_output_tokens")
	return total.Value
}

// shares are the energy for each of what was made, by name in files and in text.
func (e Energy) shares() []energyShare {
	var all []energyShare
	for _, x := range []energyShare{{"output_token", "output token", e.Tokens}, {"request", "request", e.Requests},
		{"good_request", "good request", e.Good}} {
		if x.value = e.Each(x.value); !math.IsNaN(x.value) {
			all = append(all, x)
		}
	}
	return all
}

type energyShare struct {
	name, of string
	value    float64
}

// energyLine says what energy a run took, or why that is not known of GPUs that were read;
// "" where none were.
func (r *Report) energyLine() string {
	all := r.gpuEnergies()
	if len(all) == 0 {
		return ""
	}
	if e, ok := r.Energy(); ok {
		return e.text()
	}
	unknown := 0
	for _, one := range all {
		if one == nil {
			unknown++
		}
	}
	return fmt.Sprintf("Energy: not known of %d of %d GPUs; it needs the GPU's own counter, or its power, for at "+
		"least 90 %% of the measured phase, by power 2 s at least", unknown, len(all))
}

// object is energy in files.
func (e Energy) object() object {
	o := object{{"gpus", e.GPUs}, {"joules", e.Joules}, {"by", e.By()}}
	for _, x := range e.shares() {
		o.add("joules_per_"+x.name, x.value)
	}
	return o
}

func (e Energy) text() string {
	by, gpus := "power over time", fmt.Sprintf("%d GPUs", e.GPUs)
	if e.Counted {
		by = "their own counters"
	}
	if e.GPUs == 1 {
		gpus = "1 GPU"
	}
	text := fmt.Sprintf("Energy: %s J of %s, by %s", significant(e.Joules), gpus, by)
	for _, x := range e.shares() {
		text += fmt.Sprintf("; %s J for each %s", significant(x.value), x.of)
	}
	return text
}

// energyLines say what energy a run took and what it costs, or why that is not known.
func (r *Report) energyLines() (lines []string) {
	for _, line := range []string{r.energyLine(), r.costLine()} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
