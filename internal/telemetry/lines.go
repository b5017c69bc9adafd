package telemetry

import (
	"bufio"
	"encoding/json"
	"time"

	"headway/record"
)

// LinesVersion is the version of the format of telemetry.jsonl.
const LinesVersion = 1

// lines writes samples; the first error ends the writing and nothing else. The nil
// pointer writes nothing.
type lines struct {
	out  *bufio.Writer
	json *json.Encoder
	err  error
}

// head is the first line.
type head struct {
	Version  int       `json:"headway_telemetry"`
	Origin   time.Time `json:"origin"`
	Interval float64   `json:"interval_s"`
	Sources  []string  `json:"sources"`
}

// line is a sample of one subject, a sample that failed or a phase.
type line struct {
	At     float64              `json:"t_s"`
	Phase  string               `json:"phase,omitempty"`
	Source *int                 `json:"source,omitempty"`
	Kind   string               `json:"kind,omitempty"`
	Engine string               `json:"engine,omitempty"`
	Of     string               `json:"of,omitempty"`
	Values map[Quantity]float64 `json:"values,omitempty"`
	Error  string               `json:"error,omitempty"`
}

func newLines(o SamplerOptions, sources []*sampled) *lines {
	if o.Lines == nil {
		return nil
	}
	l := &lines{out: bufio.NewWriter(o.Lines)}
	l.json = json.NewEncoder(l.out)
	h := head{Version: LinesVersion, Origin: o.Clock.Origin().Round(0), Interval: o.Interval.Seconds()}
	for _, of := range sources {
		h.Sources = append(h.Sources, of.name)
	}
	l.put(h)
	return l
}

func (l *lines) put(v any) {
	if l != nil && l.err == nil {
		l.err = l.json.Encode(v)
	}
}

func (l *lines) flush() error {
	if l == nil {
		return nil
	}
	if l.err == nil {
		l.err = l.out.Flush()
	}
	return l.err
}

func seconds(t record.Time) float64 { return time.Duration(t).Seconds() }

func (l *lines) phase(at record.Time, name string) { l.put(line{At: seconds(at), Phase: name}) }

func (l *lines) failure(at record.Time, source int, why string) {
	l.put(line{At: seconds(at), Source: &source, Error: why})
}

// sample writes a line for each subject of a sample.
func (l *lines) sample(at record.Time, source int, samples []Sample) {
	if l == nil {
		return
	}
	order, values := reduced(samples)
	for _, w := range order {
		l.put(line{At: seconds(at), Source: &source, Kind: kindOf(w.engine), Engine: w.engine, Of: w.of,
			Values: values[w]})
	}
}

// reduced are the values of each subject: the sum of a quantity's series, the mean
// where they are shares; of a histogram its sum and count.
func reduced(samples []Sample) (order []who, values map[who]map[Quantity]float64) {
	values = map[who]map[Quantity]float64{}
	type key struct {
		who
		q Quantity
	}
	n := map[key]float64{}
	for _, s := range samples {
		w, q := who{s.Engine, s.Of}, s.Quantity
		switch s.Part {
		case Bucket:
			continue
		case Sum, Count:
			q += Quantity("_" + s.Part)
		}
		if values[w] == nil {
			values[w] = map[Quantity]float64{}
			order = append(order, w)
		}
		n[key{w, q}]++
		values[w][q] += s.Value
	}
	for k, count := range n {
		if traits[k.q].mean {
			values[k.who][k.q] /= count
		}
	}
	return order, values
}
