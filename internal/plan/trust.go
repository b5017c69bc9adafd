package plan

import (
	"context"
	"fmt"
	"math"
	"strings"

	"headway/internal/twin"
	"headway/record"
)

// trust is how far the figures of a plan may be off.
type trust struct {
	uncertainty *twin.Uncertainty
	// part is what the models replayed, recorded what became of it with the fit.
	part     part
	recorded *outcome
	// off are the logarithms of the worst windows' figures over those of the fit, by
	// goal, of each model that was drawn.
	off [][]float64
	// errors are the logarithms of measured over simulated that the risk draws, by goal.
	errors [][]float64
	widen  float64
	said   []string // which figures stand for others, and how the load lies outside of what the twin has seen
	why    string   // there is nothing to be said, and why
}

// trusts finds it out by replays of a part with models drawn around the twin.
func (a *Asked) trusts(ctx context.Context, c Candidate, p part, whole *outcome) (*trust, error) {
	f := a.Mappings[c.Mapping].Twin
	t := &trust{uncertainty: f.Uncertainty, widen: 1, part: p}
	if t.why = a.untold(c); t.why != "" {
		return t, nil
	}
	a.say(t, f, a.seen(whole, c.Replicas))
	models := append([]*twin.Model{&f.Model}, f.Draw(a.Draws)...)
	worst := make([][]float64, len(models))
	err := a.each(len(models), func(i int) error {
		o, err := a.replay(ctx, c, models[i], p, true)
		if err != nil {
			return err
		}
		if i == 0 {
			t.recorded = o
		}
		for g := range a.goals {
			_, v := o.worst(g)
			worst[i] = append(worst[i], v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.off = make([][]float64, len(a.goals))
	for g := range a.goals {
		for _, w := range worst[1:] {
			ratio := w[g] / worst[0][g]
			if !(ratio > 0) { // no reply of the part has the time
				ratio = 1
			}
			t.off[g] = append(t.off[g], math.Log(ratio))
		}
	}
	return t, nil
}

// untold is why nothing is known of the errors of a plan; empty where something is.
func (a *Asked) untold(c Candidate) string {
	f := a.Mappings[c.Mapping].Twin
	switch {
	case c.Prefill > 0:
		return "the twin was calibrated with prompts and replies on the same GPUs: its steps are taken for those of " +
			"prefill and decode replicas, and " + a.Link.String() + ", which nothing has calibrated"
	case c.Tiers > 0:
		return "the twin was calibrated without tiers of the KV cache: their links are taken to be as they were given"
	}
	if f.Uncertainty == nil || len(f.Uncertainty.Covariance) == 0 {
		return "the twin was not calibrated: its file has no uncertainty"
	}
	if a.Draws == 0 {
		return "no models are drawn around the twin (--risk-draws 0)"
	}
	for i := range a.goals {
		if _, ok := a.goals[i].calibrated(f.Uncertainty); !ok {
			return fmt.Sprintf("the twin was calibrated neither in %s nor in a higher percentile", a.goals[i].figure())
		}
	}
	return ""
}

// calibrated is the figure whose residuals hold for the goal: its own, or for a
// percentile the next higher one that has some, since the tail is harder to foretell.
func (g *goal) calibrated(u *twin.Uncertainty) (figure string, ok bool) {
	if figure = g.figure(); len(u.Residuals[figure]) > 0 {
		return figure, true
	}
	for p := int(g.rank) + 1; !g.mean && p < 100; p++ {
		if figure = fmt.Sprintf("%s p%d", g.Tag, p); len(u.Residuals[figure]) > 0 {
			return figure, true
		}
	}
	return "", false
}

// seen is the range of the load, in flight on one replica.
func (a *Asked) seen(o *outcome, replicas int) twin.Range {
	r := twin.Range{ISL: [2]int{math.MaxInt, 1}, OSL: [2]int{math.MaxInt, 1}, InFlight: [2]int{1, 1}}
	widen := func(of *[2]int, n int) { of[0], of[1] = min(of[0], n), max(of[1], n) }
	for _, q := range a.Load.requests {
		widen(&r.ISL, q.Prompt.Length())
		widen(&r.OSL, q.OutputTokens)
	}
	r.InFlight[1] = max((o.inFlight()+replicas-1)/replicas, 1)
	return r
}

// interval is where the figure of a goal is expected, n being the place of that goal.
func (t *trust) interval(n int, g *goal, v float64) Expected {
	none := Expected{Low: record.Unknown(), High: record.Unknown()}
	if t.why != "" {
		return none
	}
	figure, _ := g.calibrated(t.uncertainty)
	i := t.uncertainty.Interval(figure, v, rootMeanSquare(t.off[n]), t.widen)
	if i == nil {
		return none
	}
	return Expected{Low: record.Number(i.Low), High: record.Number(i.High), Level: i.Level}
}

// Expected is where a time is expected by the twin, seconds; null where that is not known.
type Expected struct {
	Low  record.Number `json:"low_s"`
	High record.Number `json:"high_s"`
	// Level is the share of cases in which it holds, 0 to 1; 0 is a range without one.
	Level float64 `json:"level,omitzero"`
}

func rootMeanSquare(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(max(len(x), 1)))
}

// basis says what intervals and the risk rest on.
func (t *trust) basis() string {
	if t.why != "" {
		return t.why
	}
	return strings.Join(append([]string{t.uncertainty.Basis()}, t.said...), "; ")
}

// say finds how far the figures were off, and notes what makes them less sure.
func (a *Asked) say(t *trust, f *twin.File, seen twin.Range) {
	for i := range a.goals {
		figure, _ := a.goals[i].calibrated(f.Uncertainty)
		t.errors = append(t.errors, f.Uncertainty.Errors(figure))
		if own := a.goals[i].figure(); figure != own {
			t.said = append(t.said, fmt.Sprintf("residuals of %s stand for those of %s", figure, own))
		}
	}
	var beyond []string
	if beyond, t.widen = f.Range.Beyond(seen); len(beyond) > 0 {
		t.said = append(t.said, fmt.Sprintf("the load has %s, outside of what the twin has seen, so it extrapolates",
			strings.Join(beyond, ", ")))
	}
}
