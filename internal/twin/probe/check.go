package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/report"
)

// Check measures one load on a server, sized by a twin of it and of lengths that no
// calibration fits. What is known of the server is the twin.
func (c *Calibration) Check(ctx context.Context, f *twin.File) (*Measured, error) {
	c.begun = true
	c.Journal.Attempts++
	c.Key = c.Key.Named("check")
	c.size = sizer{Limits: c.Limits, engine: c.Engine, model: &f.Model}
	p, err := c.size.heldOut(ctx)
	if err != nil {
		return nil, err
	}
	p.Name, p.Teaches = "check", "whether the twin holds"
	if err := c.measure(ctx, p); err != nil {
		return nil, err
	}
	return c.measured(), nil
}

// Holding is whether a twin holds.
type Holding struct {
	Holds bool `json:"holds"`
	// Why says by how much each figure is off that is off by more than is allowed.
	Why []string `json:"why,omitempty"`
	// Loads are what the twin was held against.
	Loads []twin.Judged `json:"loads"`
}

// Document shows the loads, and whether the twin holds.
func (h Holding) Document(f *twin.File) *report.Document {
	d := fit.Check(f, h.Loads)
	if h.Holds {
		d.Line("the twin holds: no mean is off by more than is allowed")
	}
	for _, why := range h.Why {
		d.Line("the twin does not hold: %s", why)
	}
	return d
}

// decisive are the figures by which a twin holds or not: means, since quantiles of a
// short load are mostly chance.
var decisive = []string{"time_to_first_token", "inter_token_latency", "request_latency", "request_throughput"}

// stretched is how many times the error that the fit's held-out loads had is allowed.
const stretched = 1.5

// Holds compares loads that a twin has not seen: it holds while no mean is off by
// more than the tolerance, a share, or 1.5 times its error in the held-out loads.
func Holds(f *twin.File, judged []twin.Judged, tolerance float64) Holding {
	h := Holding{Holds: true, Loads: judged}
	for _, l := range judged {
		for _, c := range l.Figures {
			if !slices.Contains(decisive, c.Figure) {
				continue
			}
			allowed := max(tolerance, stretched*stated(f, c.Figure))
			if e := c.Error(); !(math.Abs(e) <= allowed) {
				h.Holds = false
				h.Why = append(h.Why, fmt.Sprintf("%s: %s is %.4g %s, and the twin has %.4g (%+.0f %%, allowed "+
					"±%.0f %%)", l.Load, c.Figure, c.Measured, c.Unit, c.Simulated, 100*e, 100*allowed))
			}
		}
	}
	return h
}

// stated is the largest error of a figure in the loads that the fit held out.
func stated(f *twin.File, figure string) float64 {
	most := 0.0
	for _, l := range f.HeldOut {
		for _, c := range l.Figures {
			if e := math.Abs(c.Error()); c.Figure == figure && !math.IsNaN(e) && !math.IsInf(e, 0) {
				most = max(most, e)
			}
		}
	}
	return most
}
