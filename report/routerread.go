package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"headway/internal/bound"
)

// ComparisonName is the file of a Comparison's figures.
const ComparisonName = "results_summary.json"

// ErrNoComparison says that a file is of something else.
var ErrNoComparison = errors.New("not a comparison of routers")

// axes are what the cases of a comparison may differ in, with the label of an
// axis.
var axes = map[string]string{"prefix_ratio": "Prefix ratio", "request_rate": "Requests/s"}

// Over says in what the cases differ: prefix_ratio or request_rate.
func (c *Comparison) Over(key string) { c.XKey, c.XLabel = key, axes[key] }

// maxRepeats bounds what a file says that an arm has.
const maxRepeats = 10_000

// LoadComparison reads what a results_summary.json says of the comparison: its
// cases, arms, notes and warnings. The figures are not taken: each Arm has its Dir
// and as many Repeats as there were, and they and its Report are nil.
func LoadComparison(path string) (*Comparison, error) {
	raw, err := bound.ReadFile(path, bound.Document, "the comparison")
	if err != nil {
		return nil, err
	}
	var d comparisonDocument
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("reading the comparison %s: %w", path, err)
	}
	switch {
	case d.Format != comparisonFormat:
		return nil, fmt.Errorf("%s: %w", path, ErrNoComparison)
	case d.Version > comparisonVersion:
		return nil, fmt.Errorf("reading the comparison %s: version %d of the format is unknown; this headway reads "+
			"up to %d",
			path, d.Version, comparisonVersion)
	}
	c := &Comparison{Benchmark: d.Benchmark, Simulated: d.Simulated, Command: d.Command, Seed: d.Seed,
		Notes: d.Notes, Warnings: d.Warnings}
	if d.X != "" {
		c.Over(d.X)
	}
	for _, g := range d.Gains {
		c.Baseline = g.Baseline
	}
	for _, r := range d.Runs {
		if !filepath.IsLocal(filepath.FromSlash(r.Dir)) || r.Repeats > maxRepeats {
			return nil, fmt.Errorf("reading the comparison %s: a run in %q with %d repeats is not one of its folder",
				path, r.Dir, r.Repeats)
		}
		c.add(r)
	}
	if len(c.Cases) == 0 {
		return nil, fmt.Errorf("reading the comparison %s: it has no run", path)
	}
	return c, nil
}

// add gives a run its place among the cases.
func (c *Comparison) add(r runDocument) {
	x := 0.0
	if r.X != nil {
		x = *r.X
	}
	i := slices.IndexFunc(c.Cases, func(k Case) bool { return k.Name == r.Case && k.X == x })
	if i < 0 {
		i, c.Cases = len(c.Cases), append(c.Cases, Case{Name: r.Case, X: x})
	}
	arm := Arm{Name: r.Name, Dir: r.Dir, Repeats: make([]*Report, max(0, r.Repeats-1))}
	c.Cases[i].Arms = append(c.Cases[i].Arms, arm)
}
