package fit

import (
	"context"
	"slices"
	"time"

	"headway/internal/twin"
)

// Asked is what a twin is made of.
type Asked struct {
	Data
	// HeldOut are loads that the fit does not see.
	HeldOut []*Load
	// Headway is the version that writes.
	Headway string
	Now     time.Time
}

// Read takes what folders have, and holds out what is in others.
func (a *Asked) Read(folders, heldOut []string) (err error) {
	if a.HeldOut, err = ReadLoads(heldOut); err != nil {
		return err
	}
	a.Loads, a.Points, err = ReadFolders(folders)
	a.Loads = without(a.Loads, a.HeldOut)
	return err
}

// Make fits a twin and judges it.
func Make(ctx context.Context, a Asked) (*twin.File, error) {
	m, covariance, err := a.Fit(ctx)
	if err != nil {
		return nil, err
	}
	f := &twin.File{Version: twin.FileVersion, Headway: a.Headway, Created: a.Now.UTC().Truncate(time.Second),
		Engine: a.Engine,
		Model:  *m,
		Range:  rangeOf(a.Loads, a.Points)}
	if f.Uncertainty, err = a.uncertainty(ctx, f, covariance); err != nil {
		return nil, err
	}
	if f.Fitted, err = Judge(ctx, f, a.Loads); err != nil {
		return nil, err
	}
	if f.HeldOut, err = Judge(ctx, f, a.HeldOut); err != nil {
		return nil, err
	}
	f.Uncertainty.Cover(f.HeldOut, f.Fitted)
	return f, nil
}

// seeds are of how many simulations a judged figure is the mean, draws of how many
// an interval follows from.
const (
	seeds = 5
	draws = 12
)

// Judge simulates loads that were measured and puts both beside each other, with
// the interval that the twin gives.
func Judge(ctx context.Context, f *twin.File, loads []*Load) ([]twin.Judged, error) {
	var all []twin.Judged
	for _, l := range loads {
		j, err := judgeOne(ctx, f, l)
		if err != nil {
			return nil, err
		}
		all = append(all, j)
	}
	return all, nil
}

func judgeOne(ctx context.Context, f *twin.File, l *Load) (twin.Judged, error) {
	same := make([]*twin.Model, seeds)
	for i := range same {
		same[i] = &f.Model
	}
	best, err := simulateAll(ctx, f, l, same)
	if err != nil {
		return twin.Judged{}, err
	}
	j := twin.Judged{Load: l.Name, Requests: len(l.Requests), Figures: figures(l, l.Seen), Doubts: l.Doubts}
	if l.Concurrency > 0 {
		j.Doubts = slices.Concat(j.Doubts, f.Model.Waves(l.Concurrency, l.context()))
	}
	for i := range j.Figures {
		j.Figures[i].Simulated = mean(best[i])
	}
	if f.Uncertainty == nil {
		return j, nil
	}
	drawn, err := simulateAll(ctx, f, l, f.Draw(draws))
	if err != nil {
		return twin.Judged{}, err
	}
	said, widen := f.Range.Beyond(rangeOf([]*Load{l}, nil))
	j.Beyond = said
	for i := range j.Figures {
		c := &j.Figures[i]
		c.Interval = f.Uncertainty.Interval(c.Figure, c.Simulated, logSpread(drawn[i]), widen)
	}
	return j, nil
}

// simulateAll are the figures of a load under models, by figure.
func simulateAll(ctx context.Context, f *twin.File, l *Load, models []*twin.Model) ([][]float64, error) {
	var all [][]float64
	for i, m := range models {
		sim, err := Simulate(ctx, f.Engine, m, l, uint64(1000+i))
		if err != nil {
			return nil, err
		}
		for k, c := range figures(l, sim) {
			if i == 0 {
				all = append(all, nil)
			}
			all[k] = append(all[k], c.Measured)
		}
	}
	return all, nil
}
