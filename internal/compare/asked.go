package compare

import (
	"headway/internal/fault"
	"headway/internal/options"
	"headway/report"
)

// Asked compares what options ask for, and writes their files. The error of options
// that are wrong lists every fault.
func Asked(c *options.Compare, version string, note func(format string, args ...any)) (*Result, error) {
	o, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	sides := SidesOf(c.Folders)
	if len(c.A) > 0 {
		sides = []Side{{Name: "A", Paths: c.A}, {Name: "B", Paths: c.B}}
	}
	res, err := o.Sides(sides, Side{Name: "baseline", Paths: c.Baseline})
	if err != nil {
		return nil, err
	}
	for _, file := range c.Output {
		v := View{Format: c.FormatOf(file), Page: report.ConsoleOptions{Width: report.FullWidth}, Strict: c.Strict,
			Version: version}
		if err := report.WriteFile(file, v.Of(res)); err != nil {
			return nil, err
		}
		note("written: %s", file)
	}
	return res, nil
}

// optionsOf are those of the comparison.
func optionsOf(c *options.Compare) (Options, error) {
	var bad fault.List
	c.Faults(&bad)
	o := Options{Figures: c.Named(&bad), Margin: c.Margin / 100, Assumed: c.Variation / 100}
	for _, text := range c.Gates {
		g, err := ParseGate(text)
		if err != nil {
			bad.Add("%s: %v", fault.Field("gate"), err)
		}
		o.Gates = append(o.Gates, g)
	}
	return o, bad.Usage()
}
