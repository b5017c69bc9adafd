package chart

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// The magnitudes that a value may have (zero apart, on a linear axis). Beyond
// them differences and ratios of two valid values overflow, and nothing that is
// measured is that large or that small.
const (
	largest  = 1e100
	smallest = 1e-100
)

// Validate reports every reason why the chart cannot be drawn, joined into one
// error, or nil. WriteSVG and WritePNG call it first.
func (c Chart) Validate() error {
	var faults []error
	if n := len(c.Series); n > MaxSeries {
		faults = append(faults, fmt.Errorf("%d series: at most %d can be told apart, draw "+
			"several charts", n, MaxSeries))
	}
	faults = append(faults, c.X.faults("X")...)
	faults = append(faults, c.Y.faults("Y")...)
	for i, s := range c.Series {
		for j, p := range s.Points {
			where := fmt.Sprintf("series %d (%q) point %d", i+1, s.Name, j+1)
			faults = append(faults, c.pointFaults(where, p)...)
		}
	}
	for i, l := range c.Lines {
		axis, name := c.Y, "Y"
		if l.Vertical {
			axis, name = c.X, "X"
		}
		if err := axis.fault(l.Value); err != nil {
			faults = append(faults, fmt.Errorf("line %d (%q) on the %s axis: %w", i+1, l.Label, name, err))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("chart %q cannot be drawn: %w", c.Title, errors.Join(faults...))
}

// pointFaults lists what keeps a point from being drawn.
func (c Chart) pointFaults(where string, p Point) []error {
	var faults []error
	add := func(field string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", where, field, err))
		}
	}
	add("X", c.X.fault(p.X))
	if !p.gap() {
		add("Y", c.Y.fault(p.Y))
	}
	if !p.whisker() {
		return faults
	}
	// On a logarithmic axis the lower end of an interval may well be zero or
	// less although the value is not; it is drawn down to the edge of the plot.
	linear := c.Y
	linear.Log = false
	add("Low", linear.fault(p.Low))
	add("High", c.Y.fault(p.High))
	if p.Low > p.High {
		add("Low", fmt.Errorf("%v is above High %v", p.Low, p.High))
	}
	return faults
}

// faults lists what is wrong with the axis itself.
func (a Axis) faults(name string) []error {
	var faults []error
	add := func(err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s axis: %w", name, err))
		}
	}
	if strings.TrimSpace(a.Label) == "" {
		add(errors.New("no label; name the quantity and its unit"))
	}
	lo, hi := a.fixed()
	if !math.IsNaN(lo) {
		add(prefix("Min", a.fault(lo)))
	}
	if !math.IsNaN(hi) {
		add(prefix("Max", a.fault(hi)))
	}
	if lo >= hi || a.Log && lo > 0 && math.Log10(lo) >= math.Log10(hi) {
		add(fmt.Errorf("minimum %v is not below maximum %v", lo, hi))
	}
	for i, v := range a.Values {
		add(prefix(fmt.Sprintf("Values[%d]", i), a.fault(v)))
	}
	return faults
}

// fault says why v has no place on the axis, or returns nil.
func (a Axis) fault(v float64) error {
	size := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%v is not a finite number", v)
	case a.Log && v <= 0:
		return fmt.Errorf("%v has no place on a logarithmic axis; values must be above 0", v)
	case size > largest || size != 0 && size < smallest:
		return fmt.Errorf("%v is out of range; magnitudes go from %g to %g", v, smallest, largest)
	}
	return nil
}

// fixed returns the ends that the caller fixed, NaN for an automatic one.
func (a Axis) fixed() (lo, hi float64) {
	if a.Min == 0 && a.Max == 0 {
		return math.NaN(), math.NaN()
	}
	return a.Min, a.Max
}

// prefix puts a field's name before an error, and keeps nil nil.
func prefix(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}
