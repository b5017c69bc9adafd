package probe

import (
	"context"
	"fmt"
	"slices"

	"headway/internal/twin"
	"headway/internal/twin/fit"
)

// Bounds of the choice: what a probe has to narrow the prediction by, as a share of
// the figures, how often one is measured, and after how many probes the model is
// fitted, so that those that follow are sized by it.
const (
	leastGain    = 0.001
	mostRuns     = 2
	beforeFit    = 4
	heldOutShare = 1.2 // of heldTime, which is kept for the last probes
)

// teach measures what narrows the prediction most, until nothing does, or until the
// time of load is used up.
func (c *Calibration) teach(ctx context.Context) error {
	for {
		p, err := c.next(ctx)
		if err != nil || p == nil {
			return err
		}
		if err := c.measure(ctx, *p); err != nil {
			return err
		}
	}
}

// next is the probe that teaches most for its time, nil where none is worth it.
func (c *Calibration) next(ctx context.Context) (*Probe, error) {
	if err := c.improve(ctx); err != nil {
		return nil, err
	}
	t, err := c.lessons(ctx)
	if err != nil {
		return nil, err
	}
	now := t.now()
	left := c.Load.Seconds() - c.spent() - heldOutShare*heldTime.Seconds()
	var best *Probe
	most, after := 0.0, 0.0
	for i := range t.all {
		p := &t.all[i]
		took := max(t.took[p.Name], 1)
		gain := now - t.after(p.Name)
		if c.Journal.runs(p.Name) >= mostRuns || gain < leastGain || took > left {
			continue
		}
		// Random times are sized by the capacity, which is known after a fit.
		if p.Rate > 0 && !c.interim {
			continue
		}
		if gain/took > most {
			best, most, after = p, gain/took, t.after(p.Name)
		}
	}
	if best == nil && !c.interim {
		c.interim = true // there is nothing else to size by
		return c.next(ctx)
	}
	c.sayNext(best, t.all, now, after, left)
	return best, nil
}

// sayNext tells what is known, and what is left out at the end.
func (c *Calibration) sayNext(best *Probe, all []Probe, now, after, left float64) {
	if best != nil {
		c.tell("so far: means of other loads are known to about ±%.1f %%; the next probe brings that to ±%.1f %%",
			100*now, 100*after)
		return
	}
	skipped := ""
	for _, p := range all {
		if c.Journal.runs(p.Name) == 0 {
			skipped += fmt.Sprintf(", %s", p.Name)
		}
	}
	c.tell("so far: means of other loads are known to about ±%.1f %%", 100*now)
	if skipped != "" {
		c.tell("left out, since they would say little more or take longer than the %.0f s that are left: %s",
			max(left, 0), skipped[2:])
	}
}

// improve fits the model once a few probes are there.
func (c *Calibration) improve(ctx context.Context) error {
	if c.interim || len(c.loads) < beforeFit {
		return nil
	}
	data := fit.Data{Engine: c.Engine, Loads: c.loads}
	m, _, err := data.Fit(ctx)
	if err != nil {
		return err
	}
	c.size.model, c.interim = m, true
	c.tell("so far: a step takes %.3g ms, a token in it %.3g µs; tokens go out at %.3g µs each", m.Weights, m.Compute,
		m.Detokenize+m.Write)
	return nil
}

// lesson is what may be measured next, by one model.
type lesson struct {
	model *twin.Model
	all   []Probe
	took  map[string]float64 // seconds of each
	*teacher
}

// lessons are the probes that may be measured, with a teacher who knows them and
// what was measured. It is made once for a model.
func (c *Calibration) lessons(ctx context.Context) (*lesson, error) {
	if c.lesson == nil || c.lesson.model != c.size.model {
		l, err := c.plan(ctx)
		if err != nil {
			return nil, err
		}
		c.lesson = l
	}
	l := c.lesson
	l.forget()
	for i, measured := range c.loads {
		if err := l.know(ctx, c.probes[i].Name, measured); err != nil {
			return nil, err
		}
		l.learnt(c.probes[i].Name)
	}
	return l, nil
}

// plan makes the probes by the model.
func (c *Calibration) plan(ctx context.Context) (*lesson, error) {
	all, err := c.size.fitted(ctx)
	if err != nil {
		return nil, err
	}
	held, err := c.size.heldOut(ctx)
	if err != nil {
		return nil, err
	}
	l := &lesson{model: c.size.model, all: all, teacher: newTeacher(c.Engine, c.size.model)}
	for _, p := range append(slices.Clip(all), held) {
		if err := l.consider(ctx, p); err != nil {
			return nil, err
		}
	}
	l.took, err = c.times(ctx, all)
	return l, err
}

// times are how long probes take, in seconds.
func (c *Calibration) times(ctx context.Context, all []Probe) (map[string]float64, error) {
	took := map[string]float64{}
	for _, p := range all {
		s, err := c.size.seconds(ctx, p)
		if err != nil {
			return nil, err
		}
		took[p.Name] = s
	}
	return took, nil
}
