package restate

import (
	"fmt"
	"math"

	"headway/record"
)

// sheet is where a tool writes its figures.
type sheet struct {
	*kept
	tool    *Tool
	limits  map[string]float64
	figures []Figure
	early   []Early
}

// Times are kept in seconds; a unit says how they are shown.
var scales = map[string]float64{"s": 1, "ms": 1e3, "ns": 1e9}

func scale(unit string) float64 {
	if f, ok := scales[unit]; ok {
		return f
	}
	return 1
}

// spread adds a distribution with the tool's statistics.
func (s *sheet) spread(name, unit, tag string, d spread, why ...string) {
	f := Figure{Name: name, Unit: unit, Tag: tag, Why: why}
	for _, c := range s.tool.columns {
		v := d.stat(c.stat)
		if math.IsNaN(v) {
			f.Unknown = "no request has one"
			break
		}
		f.Values = append(f.Values,
			Value{Key: s.tool.key(name, c.title), Stat: c.stat, Value: record.Number(v * scale(unit))})
	}
	s.figures = append(s.figures, f)
}

// times adds a distribution of what was kept under a name.
func (s *sheet) times(kept, name, unit, tag string, why ...string) {
	s.spread(name, unit, tag, numpy(s.of[kept]), why...)
}

// gapsOf adds a distribution of times between chunks, which a simulation may not have
// kept.
func (s *sheet) gapsOf(kept, name, unit, tag string, why ...string) {
	if len(s.of[kept]) == 0 && s.sparse > 0 {
		s.figures = append(s.figures, Figure{Name: name, Unit: unit, Tag: tag, Why: why,
			Unknown: "the times between chunks were not kept"})
		return
	}
	s.times(kept, name, unit, tag, why...)
}

// single adds a figure that is one number, in the unit that it is shown in.
func (s *sheet) single(name, unit, tag string, v float64, why ...string) {
	f := Figure{Name: name, Unit: unit, Tag: tag, Why: why}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		f.Unknown = "nothing to divide by"
	} else {
		f.Values = []Value{{Key: name, Value: record.Number(v)}}
	}
	s.figures = append(s.figures, f)
}

// rate adds an amount over the tool's duration.
func (s *sheet) rate(name, unit, tag string, amount float64, why ...string) {
	s.single(name, unit, tag, amount/s.seconds(), why...)
}

// roleChunks says how many replies began with a chunk without text.
func (k *kept) roleChunks() string {
	return fmt.Sprintf("a first chunk with the role and no text counts (%d of %d replies have one)", k.roles, k.ok)
}
