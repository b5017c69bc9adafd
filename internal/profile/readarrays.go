package profile

import (
	"fmt"
	"math"

	"headway/internal/interp"
)

// names are the arrays of a phase, those that every profile has first.
func (p Phase) names() []string {
	if p == Prefill {
		return []string{"prefill_isl", "prefill_ttft", "prefill_thpt_per_gpu"}
	}
	return []string{"x_kv_usage", "y_context_length", "z_itl", "z_thpt_per_gpu", "max_kv_tokens"}
}

func readNamed(dir string, p Phase) (map[string][]float64, error) {
	a, err := interp.ReadHalf(dir, string(p), p.names()...)
	if err != nil {
		return nil, fmt.Errorf("reading the %s profile in %s: %w", p, dir, err)
	}
	return a, nil
}

// readArrays makes points of the arrays that the planner reads.
func readArrays(dir string, p Phase) (KeptHalf, error) {
	a, err := readNamed(dir, p)
	if err != nil {
		return KeptHalf{}, err
	}
	if err := p.sameLengths(a); err != nil {
		return KeptHalf{}, fmt.Errorf("reading the %s profile in %s: %w", p, dir, err)
	}
	k := KeptHalf{Phase: p, Bare: true}
	k.untold("the %s profile in %s is made of the arrays for the planner: there are no intervals, repeats and "+
		"warnings, "+
		"and no points that failed", p, dir)
	if k.Half = curveOf(a); p == Decode {
		k.Half = Marked(surfaceOf(a), dir)
	}
	return k, nil
}

// sameLengths refuses arrays that are not of the same points.
func (p Phase) sameLengths(a map[string][]float64) error {
	names := p.names()
	want := len(a[names[0]])
	for _, name := range names {
		n := want
		if name == "max_kv_tokens" {
			n = 1
		}
		if len(a[name]) != n {
			return fmt.Errorf("%s has %d values: must be %d", name, len(a[name]), n)
		}
	}
	return nil
}

// bare is a figure of which no interval is known.
func bare(v float64) Figure { return Figure{Mean: v} }

func curveOf(a map[string][]float64) PrefillCurve {
	var c PrefillCurve
	for i, isl := range a["prefill_isl"] {
		c.Points = append(c.Points, PrefillPoint{
			ISL:        int(isl),
			TTFT:       bare(a["prefill_ttft"][i] / 1e3),
			Throughput: bare(a["prefill_thpt_per_gpu"][i]),
			Quality:    Quality{Cached: -1},
		})
	}
	return c
}

func surfaceOf(a map[string][]float64) DecodeSurface {
	kv := a["max_kv_tokens"][0]
	s := DecodeSurface{Facts: Facts{KVTokens: int(kv)}}
	for i, usage := range a["x_kv_usage"] {
		context := a["y_context_length"][i]
		s.Points = append(s.Points, DecodePoint{
			Requests:   int(math.Round(usage * kv / context)),
			KVUsage:    usage,
			Context:    context,
			ITL:        bare(a["z_itl"][i] / 1e3),
			Throughput: bare(a["z_thpt_per_gpu"][i]),
			Quality:    Quality{Cached: -1},
		})
	}
	return s
}
