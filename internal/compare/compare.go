package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// Sides compares each of the others with the first. baseline, which may be empty, has
// runs of one configuration: how much they vary is how much runs of all sides do. The
// error is that a side cannot be read, or has no load in common with the first.
func (o Options) Sides(sides []Side, baseline Side) (*Result, error) {
	if o.named = o.Figures != nil; !o.named {
		o.Figures = Usual()
	}
	var names []string
	for _, s := range SidesOf(baseline.Paths) {
		names = append(names, s.Name)
	}
	res := &Result{Options: o, Baseline: strings.Join(names, ", ")}
	all := make([][]run, len(sides)+1) // the last is the baseline's
	for i, s := range append(slices.Clip(sides), baseline) {
		c, err := s.read()
		if err != nil {
			return nil, err
		}
		all[i], res.Untold = c.runs, append(res.Untold, c.untold...)
		if i < len(sides) {
			res.sides = append(res.sides, c.side(s.Name))
		}
	}
	base := pointsOf(all[len(sides)])
	valid(base)
	several := func(p *point) bool { return len(p.runs) >= enoughRuns }
	if len(baseline.Paths)+len(baseline.Reports) > 0 && !slices.ContainsFunc(base, several) {
		return nil, fmt.Errorf("the baseline %s has no load with %d runs or more, which it takes to tell how much "+
			"runs vary: repeat a measurement, each time with a seed of its own", res.Baseline, enoughRuns)
	}
	for i, s := range sides[1:] {
		v, err := o.versus(sides[0].Name, s.Name, all[0], all[i+1], base)
		if err != nil {
			return nil, err
		}
		res.Versus = append(res.Versus, v)
	}
	return res, nil
}

// versus compares the runs of two sides.
func (o Options) versus(aName, bName string, a, b []run, base []*point) (Versus, error) {
	v := Versus{A: aName, B: bName}
	if err := apart(aName, bName, a, b); err != nil {
		return v, err
	}
	aPoints, bPoints := pointsOf(a), pointsOf(b)
	v.Warnings = append(valid(aPoints), valid(bPoints)...)
	pairs, alone := match(aPoints, bPoints)
	if len(pairs) == 0 {
		return v, fmt.Errorf("%s and %s have no load in common, and figures of different loads are not compared: %s",
			aName, bName, some(alone))
	}
	v.Alone = alone
	v.Differs, v.Varies = differing(a, b)
	v.Warnings = append(v.Warnings, warningsOf(pairs)...)
	for _, p := range pairs {
		one := Point{Name: p.a.label(), a: p.a, b: p.b}
		if of, _ := match([]*point{p.a}, base); len(of) > 0 && len(of[0].b.runs) >= enoughRuns {
			one.base = of[0].b.without(p.a, p.b)
		} else if len(base) > 0 {
			v.Warnings = append(v.Warnings, fmt.Sprintf("%s: the baseline does not count there, since it does "+
				"not have %d runs of this load", one.Name, enoughRuns))
		}
		for _, f := range o.Figures {
			if c, there := o.change(one, f); there {
				one.Figures = append(one.Figures, c)
			}
		}
		v.Points = append(v.Points, one)
	}
	v.Warnings = append(v.Warnings, o.absent(v.Points)...)
	o.judge(&v)
	v.Gates = append(o.gates(&v), o.gatesAlone(aPoints, bPoints, pairs)...)
	return v, nil
}

// some are the first of sentences.
func some(all []string) string {
	const most = 3
	if len(all) > most {
		return strings.Join(all[:most], "; ") + fmt.Sprintf("; and %d more", len(all)-most)
	}
	return strings.Join(all, "; ")
}

// judge finds the words, once all figures are known.
func (o Options) judge(v *Versus) {
	var all []*Change
	var ps []float64
	for i := range v.Points {
		for j := range v.Points[i].Figures {
			if c := &v.Points[i].Figures[j]; c.known {
				all, ps = append(all, c), append(ps, c.P)
			}
		}
	}
	for i, p := range holm(ps) {
		all[i].Adjusted = p
		all[i].Word = wordOf(all[i].contrast, p, o.Margin, all[i].Figure.Better())
	}
	level := (1 - confidence) / float64(max(1, len(all)))
	for i := range v.Points {
		for j := range v.Points[i].Figures {
			c := &v.Points[i].Figures[j]
			if c.Word == NotDecided && c.known {
				c.Need = needOf(c.contrast, math.Log1p(o.Margin), level, v.Points[i].requests())
			}
		}
	}
}

// change is a figure of a point; false where neither side has it.
func (o Options) change(p Point, f metric.Figure) (Change, bool) {
	nan := math.NaN()
	c := Change{Figure: f, ARuns: len(p.a.runs), BRuns: len(p.b.runs), Word: NotDecided, P: nan, Adjusted: nan}
	a, aWhy := sampleOf(p.a, f)
	b, bWhy := sampleOf(p.b, f)
	c.A, c.B = p.a.figure(f), p.b.figure(f)
	if math.IsNaN(c.A.Value) && math.IsNaN(c.B.Value) {
		return c, false
	}
	c.Percent = report.Figure{Value: 100 * (c.B.Value/c.A.Value - 1), Low: nan, High: nan, Unit: "%"}
	if aWhy.fatal || bWhy.fatal {
		c.Why = because(aWhy, bWhy)
		return c, true
	}
	var base sample
	if p.base != nil {
		base, _ = sampleOf(p.base, f)
	}
	c.contrast, c.known = betweenRuns(a, b, base, repeatedSeeds(p.a, p.b))
	if !c.known {
		c.contrast, c.known = withinRuns(a, b, o.assumed(p))
		c.Why = because(aWhy, bWhy)
	}
	if !c.known {
		return c, true
	}
	c.Percent.Value = percent(c.contrast.at)
	c.Percent.Low, c.Percent.High = percent(c.contrast.low()), percent(c.contrast.high())
	c.P, c.By, c.Assumed = c.contrast.p(0), c.contrast.by, 100*c.contrast.assumed
	return c, true
}

// requests is how many the shorter of the sides' runs has.
func (p Point) requests() int { return min(p.a.requests(), p.b.requests()) }

// percent is the change of a logarithm of a ratio.
func percent(log float64) float64 { return 100 * math.Expm1(log) }

// assumed is the standard deviation between runs where nothing tells it.
func (o Options) assumed(p Point) float64 {
	for _, r := range slices.Concat(p.a.runs, p.b.runs) {
		if !virtual(r.report.Run) {
			return o.Assumed
		}
	}
	return 0
}

// virtual says that a run was made in virtual time, where nothing but the drawn
// requests is different in another run. Its times count from 1970.
func virtual(r record.Run) bool { return r.Simulated && r.Audit == nil && r.Origin.Unix() == 0 }
