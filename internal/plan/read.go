package plan

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/profile"
	"headway/internal/settings"
	"headway/internal/twin"
	"headway/workload"
)

// Read makes of options what a plan is made of, and reads the files. What was skipped of
// the load comes back beside it.
func Read(o *options.Capacity) (*Asked, *workload.Dataset, error) {
	s, err := o.Settings()
	if err != nil {
		return nil, nil, err
	}
	a := &Asked{Routers: s.Routers, Objectives: s.Objectives, MaxReplicas: o.Most, CostPerHour: o.GPUCost,
		Draws: o.Draws, Loads: o.Loads, Seed: o.Seed, Parallel: o.Parallel, Hourly: o.Hourly, Prices: o.Prices,
		Link: Link{BytesPerToken: o.KVBytes, Bandwidth: o.Bandwidth * 1e9}, Layouts: layouts(s)}
	if o.Bandwidth == 0 {
		a.Link.Bandwidth = -1
	}
	for _, t := range s.Twins {
		f, err := twin.Read(t.File)
		if err != nil {
			return nil, nil, fault.Usage(err)
		}
		var bad fault.List
		tiers := options.KVTiers(o.Tiers, f.Engine.BlockSize*o.KVBytes, &bad)
		if err := bad.Usage(); err != nil {
			return nil, nil, err
		}
		a.Mappings = append(a.Mappings, Mapping{Name: t.File, GPUs: t.GPUs, Twin: f, Tiers: tiers})
	}
	if err := a.check(); err != nil {
		return nil, nil, fault.Usage(err)
	}
	d, err := workload.ReadFile(o.Trace, s.Read)
	if err != nil {
		return nil, nil, fault.Usage(err)
	}
	d.Spread(s.Spread, workload.Seed(o.Seed).Named("spread"))
	if a.Load, err = NewLoad(d, time.Duration(o.Window), o.Seed); err != nil {
		return nil, nil, fault.Usage(err)
	}
	if err := a.check(); err != nil { // what can be said only with the load
		return nil, nil, fault.Usage(err)
	}
	return a, d, nil
}

// layouts are those that were asked for, in their order.
func layouts(s options.Planned) (all []Layout) {
	if s.Together {
		all = append(all, Aggregated)
	}
	if s.Split {
		all = append(all, Disaggregated)
	}
	if s.SplitFirst {
		slices.Reverse(all)
	}
	return all
}

// files of a plan in its folder.
const (
	resultFile = "plan.json"
	stepsFile  = "plan_steps.jsonl"
)

// Open takes the folder for a plan, which has to be empty of another one, unless that is
// gone on with or discarded. Settings are those of the options.
func (a *Asked) Open(o *options.Capacity, now settings.Settings) (err error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the plan: %w", err)
	}
	path := filepath.Join(o.Dir, stepsFile)
	_, err = os.Stat(path)
	if err == nil && !o.Resume && !o.Overwrite {
		return fault.New("%s has a plan: go on with it with %s, discard it with %s, or choose another %s", o.Dir,
			fault.Field("resume"), fault.Field("overwrite"), fault.Field("output-dir"))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for an earlier plan: %w", err)
	}
	files := []string{o.Trace}
	for _, m := range a.Mappings {
		files = append(files, m.Name)
	}
	for _, name := range files {
		if now["Content of "+name], err = digest(name); err != nil {
			return err
		}
	}
	if a.Steps, err = OpenSteps(path, now, o.Resume); err != nil || o.Resume {
		return err
	}
	// The result of a plan that was discarded is not that of the steps that come now.
	if err := os.Remove(filepath.Join(o.Dir, resultFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discarding an earlier plan: %w", err)
	}
	return nil
}

// digest is a file's content in short.
func digest(path string) (string, error) {
	f, err := bound.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := f.WriteTo(h); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// Write keeps a plan in its folder.
func (r *Result) Write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return profile.ReplaceFile(filepath.Join(dir, resultFile), append(data, '\n'))
}
