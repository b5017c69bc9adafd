package metric

import "headway/record"

// Value is one metric of one Record, in the metric's unit as it is shown.
type Value struct {
	Tag, Unit string
	// Value is the figure, or List the figures of a PerList metric.
	Value float64
	List  []float64
	// Base is Value in base units (seconds, tokens, bytes, fractions).
	Base float64
	// Integer says that the figure is whole and written without a fraction.
	Integer bool
}

// Values are the metrics of one Record in the table's order: those of a valid
// record, or those of an error, or none for a request that was not sent.
// Metrics that adjust for failures exist only over a run.
func Values(r *record.Record) []Value { return Options{Streaming: true}.Values(r) }

// Values is [Values] under the options' rules for streams and usage.
func (o Options) Values(r *record.Record) []Value {
	var list []Value
	read := reading{rule: o.ChunkRule}
	r = read.of(r)
	table := o.metrics()
	for i := range table {
		m := &table[i]
		v := Value{Tag: m.Tag, Unit: m.Unit, Integer: m.Integer}
		switch {
		case m.adjusted:
			continue
		case m.values != nil:
			v.List = m.values(r, nil)
			for j := range v.List {
				v.List[j] = m.Shown(v.List[j])
			}
			if len(v.List) == 0 {
				continue
			}
		case m.value != nil:
			figure, ok := m.value(r)
			if !ok {
				continue
			}
			v.Value, v.Base = m.Shown(figure), figure
		default:
			continue
		}
		list = append(list, v)
	}
	return list
}
