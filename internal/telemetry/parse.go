package telemetry

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// place is where on a page a sample stands: the n-th series of a name, from 0.
type place struct {
	name string
	n    int
}

// found is a sample and where it stands.
type found struct {
	Sample
	place
}

// parse reads the samples of known engines.
func parse(page []byte) ([]Sample, error) {
	all, err := read(page)
	if err != nil {
		return nil, err
	}
	return samplesOf(all), nil
}

func samplesOf(all []found) []Sample {
	list := make([]Sample, 0, len(all))
	for _, f := range all {
		list = append(list, f.Sample)
	}
	return list
}

// read finds the samples of known engines. Only lines with their names are handed to
// the parser: a page has a hundred times as many, and what is wrong with another line
// is nobody's concern here.
func read(page []byte) ([]found, error) {
	lines, n := relevant(page, wanted)
	if n > MostSamples {
		return nil, fmt.Errorf("its page has more than %d series of what is read", MostSamples)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(lines))
	if err != nil {
		return nil, fmt.Errorf("its page of metrics cannot be read: %w", err)
	}
	var all []found
	for _, e := range engines {
		for _, r := range e.rules {
			all = append(all, r.samples(e, families)...)
		}
	}
	return all, nil
}

// relevant are the lines of samples with those names, and how many there are.
// Comments are left out, and with them types: every sample is taken by its full name.
func relevant(page []byte, names map[string]bool) (lines []byte, n int) {
	for line := range bytes.Lines(page) {
		line = bytes.TrimSpace(line)
		end := bytes.IndexAny(line, "{ \t")
		if end > 0 && names[string(line[:end])] {
			lines = append(append(lines, plainSample(line)...), '\n')
			n++
		}
	}
	return lines, n
}

// plainSample is a sample up to its value: OpenMetrics has times in seconds and
// exemplars behind it, which are an error in Prometheus's text.
func plainSample(line []byte) []byte {
	end := bytes.IndexAny(line, "{ \t")
	if line[end] == '{' {
		end = labelsEnd(line)
	}
	if end < 0 {
		return line
	}
	fields := bytes.Fields(line[end:])
	if len(fields) == 0 {
		return line
	}
	return append(append(slices.Clip(line[:end]), ' '), fields[0]...)
}

// labelsEnd is where the labels of a sample end; -1 where they do not.
func labelsEnd(line []byte) int {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '}':
			return i + 1
		}
	}
	return -1
}

func (r rule) samples(e engine, families map[string]*dto.MetricFamily) (all []found) {
	for _, name := range r.names {
		for _, ending := range r.quantity.endings() {
			if f := families[name+ending]; f != nil {
				all = append(all, r.of(e, f, Part(strings.TrimPrefix(ending, "_")))...)
			}
		}
		if len(all) > 0 {
			break
		}
	}
	if f := families[r.plus]; f != nil && len(all) > 0 {
		all = append(all, r.of(e, f, "")...)
	}
	return all
}

// of are the samples of a family. What is no number of 0 or more says nothing; of a
// series that stands there twice the last counts.
func (r rule) of(e engine, f *dto.MetricFamily, part Part) []found {
	last := map[string]found{}
	for n, m := range f.Metric {
		v, ok := r.base(m.GetUntyped().GetValue())
		if !ok || !r.takes(m.Label) {
			continue
		}
		s := Sample{Engine: e.name, Quantity: r.quantity, Value: v, Part: part}
		s.Series, s.Of = e.series(f.GetName(), m.Label)
		if e.device != "" {
			s.Device, s.Pod = labelOf(m.Label, e.device), labelOf(m.Label, e.pod)
		}
		if bound, err := strconv.ParseFloat(labelOf(m.Label, "le"), 64); part == Bucket {
			if err != nil || math.IsNaN(bound) {
				continue
			}
			s.Bound = bound
		}
		last[s.Series] = found{s, place{f.GetName(), n}}
	}
	all := make([]found, 0, len(last))
	for _, s := range last {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(a.Series, b.Series) })
	return all
}

// takes says whether a series is one that the rule means.
func (r rule) takes(labels []*dto.LabelPair) bool {
	if r.label == "" {
		return true
	}
	v := labelOf(labels, r.label)
	return !slices.Contains(r.isNot, v) && (r.is == nil || slices.Contains(r.is, v))
}

// mostValue bounds a value: nothing of today is so large, and sums of it over all series
// and a day of samples stay finite, which files of JSON need.
const mostValue = 1e24

// sound says that a value is a number that can be.
func sound(v float64) bool { return v >= 0 && v <= mostValue }

// base is a value in base units; not ok is one that is none.
func (r rule) base(v float64) (base float64, ok bool) {
	switch {
	case !sound(v):
		return 0, false
	case r.mask != 0 && v < 1<<63 && uint64(v)&r.mask != 0:
		return 1, true
	case r.mask != 0:
		return 0, true
	case r.scale != 0:
		return v * r.scale, true
	}
	return v, true
}

func labelOf(labels []*dto.LabelPair, name string) string {
	for _, l := range labels {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// series names a series, and what part of the engine it is of. Where labels say the
// latter, nothing else tells series apart.
func (e engine) series(name string, labels []*dto.LabelPair) (series, of string) {
	if e.identity != nil {
		parts := make([]string, 0, len(e.identity))
		for _, l := range e.identity {
			if v := labelOf(labels, l); v != "" {
				parts = append(parts, v)
			}
		}
		of = strings.Join(parts, "/")
		return name + "{" + of + "}", of
	}
	parts := make([]string, 0, len(labels))
	for _, l := range labels {
		parts = append(parts, l.GetName()+"="+strconv.Quote(l.GetValue()))
	}
	slices.Sort(parts)
	return name + "{" + strings.Join(parts, ",") + "}", ""
}
