package sla

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"headway/internal/bound"
	"headway/internal/deploy/dgd"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/profile"
)

// File is one of the configurations that a search writes.
type File struct {
	// Name is relative to the folder; Content says what it is and what it is for.
	Name    string `json:"file"`
	Content string `json:"content"`
}

// The configurations by name.
const (
	// RecommendedName is the file of the recommended deployment.
	RecommendedName = "recommended_config.yaml"
	plannerName     = "config_with_planner.yaml"
	mockerName      = "mocker_config_with_planner.yaml"
	baseName        = "disagg_config.yaml"
	wholeBaseName   = "agg_config.yaml"
)

// configuration writes one of the configurations, and notes what it is.
func (s *Search) configuration(name, content string, doc *dgd.Document) error {
	if err := s.writeFile(name[:len(name)-len(filepath.Ext(name))], name, doc.YAML()); err != nil {
		return err
	}
	at := len(s.files)
	if name == RecommendedName {
		at = 0 // what most look for comes first
	}
	s.files = slices.Insert(s.files, at, File{name, content})
	return nil
}

// writeBase writes the deployment that the search begins with, where its workers
// have fewer GPUs than hold the model with as many as do.
func (s *Search) writeBase() error {
	doc, backend := s.Served.Document, s.Served.Backend
	var least [2]model.Mapping
	for i, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		list, _, err := s.space().Candidates(p)
		if err != nil {
			return err
		}
		least[i] = list[0].Mapping // New has seen that there is one
	}
	held, err := doc.Holding(backend, least[0], least[1], s.space().PerNode())
	if err != nil {
		return err
	}
	content := "the deployment before the search"
	if string(held.YAML()) != string(doc.YAML()) {
		content += ", with the fewest GPUs that hold the model"
	}
	name := baseName
	if doc.Aggregated(backend) {
		name = wholeBaseName
	}
	return s.configuration(name, content, held)
}

// configurations writes the deployments that the search ends with.
func (s *Search) configurations() error {
	for _, p := range []*profile.Pick{s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick} {
		if err := s.worker(p); err != nil {
			return err
		}
	}
	if err := s.writeRecommended(); err != nil {
		return err
	}
	if err := s.planners(); err != nil {
		return err
	}
	return s.writeResult()
}

// writeRecommended writes the recommended deployment. That of an earlier call, which
// may have been for another load, does not stay.
func (s *Search) writeRecommended() error {
	d := s.recommended()
	if d == nil {
		err := os.Remove(filepath.Join(s.dir(), RecommendedName))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the recommended deployment of an earlier call: %w", err)
		}
		return nil
	}
	f, err := s.fleet(d)
	if err != nil {
		return s.unwritten(err)
	}
	doc, err := s.Served.Document.Fleet(s.Served.Backend, f)
	if err != nil {
		return s.unwritten(err)
	}
	missed := ""
	if !d.Met {
		missed = "; a target is missed"
	}
	what := fmt.Sprintf("%s, %s", d.Workers(), profile.GPUs(d.GPUs))
	doc = doc.Commented(fmt.Sprintf("Recommended by headway %s: %s, %.2f requests/s at a mean TTFT of %.1f ms and an "+
		"ITL of %.2f ms%s.", s.Version, what, d.Served, d.TTFT*1e3, d.ITL*1e3, missed),
		"The number of workers is fixed; limits of steps are those that the workers were measured with.")
	content := "the deployment to take: " + what + ", a fixed number of workers" + missed
	if doc.Deployable() != nil {
		content += s.text("; its images are placeholders, %s sets them", fault.Field("dgd-image"))
	}
	return s.configuration(RecommendedName, content, doc)
}

// planners writes the picks of the phases, from which the planner starts.
func (s *Search) planners() error {
	picks := s.found.Result
	sel := dgd.Selection{
		Prefill:     picks.Prefill.Pick.Mapping,
		Decode:      picks.Decode.Pick.Mapping,
		GPUsPerNode: s.space().PerNode(),
		Release:     s.Served.Release,
		TTFT:        s.Search.SLO.TTFT * 1e3,
		ITL:         s.Search.SLO.ITL * 1e3,
		GPUs:        s.budget(),
		PlannerArgs: s.Planner,
	}
	if s.Curves {
		if err := s.read(&sel); err != nil {
			return err
		}
	}
	if err := s.final(sel); err != nil {
		return err
	}
	final, err := s.Served.Document.Final(s.Served.Backend, sel)
	if err != nil {
		return s.unwritten(err)
	}
	content := fmt.Sprintf("where Dynamo's planner starts, which then sets how many there are: the picks of the "+
		"phases, prefill %s and decode %s", sel.Prefill, sel.Decode)
	if err := s.configuration(plannerName, content, final); err != nil || !s.Curves {
		return err
	}
	mocker, err := s.Served.Document.Mocker(s.Served.Backend, sel)
	if err != nil {
		return s.unwritten(err)
	}
	return s.configuration(mockerName, "the same on mock engines, to try the planner without GPUs", mocker)
}

// plannerBudget is how many GPUs Dynamo's planner uses where it is not told: 0.9.1
// dynamo/planner/defaults.py, 1.6.1 dynamo/planner/config/defaults.py.
const plannerBudget = 8

// budget is how many GPUs the planner may use: those that both pools may have, or as
// many as the recommended pools need where that is more than it would use.
func (s *Search) budget() int {
	if s.Demand.TotalGPUs > 0 {
		return s.Demand.TotalGPUs
	}
	need := s.found.Result.Prefill.Pick.GPUs + s.found.Result.Decode.Pick.GPUs
	if s.best != nil {
		need = max(need, s.best.GPUs)
	}
	if need <= plannerBudget {
		return 0
	}
	return need
}

// worker is the deployment of a picked worker alone, which stands with its curves.
func (s *Search) worker(p *profile.Pick) error {
	one, err := s.Served.Document.Candidate(s.Served.Backend, string(p.Phase), p.Mapping, s.space().PerNode())
	if err != nil {
		return s.unwritten(err)
	}
	if !s.Curves {
		return nil
	}
	name := filepath.Join("selected_"+string(p.Phase)+"_interpolation", "config.yaml")
	return s.writeFile(string(p.Phase)+"_config", name, one.YAML())
}

// read takes the curves for the planner from where they were written.
func (s *Search) read(sel *dgd.Selection) (err error) {
	for _, half := range []struct {
		phase profile.Phase
		data  *[]byte
	}{{profile.Prefill, &sel.PrefillData}, {profile.Decode, &sel.DecodeData}} {
		path := filepath.Join(s.dir(), string(half.phase)+"_raw_data.json")
		if *half.data, err = bound.ReadFile(path, bound.Document, "the data"); err != nil {
			return fmt.Errorf("reading the %s profile: %w", half.phase, err)
		}
	}
	return nil
}

// unwritten is the error of a configuration that cannot be made. The search is
// worth having all the same, and lies in the folder.
func (s *Search) unwritten(err error) error {
	return fmt.Errorf("%w\nthe search itself is complete: %s", err, filepath.Join(s.dir(), ResultName))
}

// writeFile writes one of the result's files and notes it among the outputs.
func (s *Search) writeFile(what, name string, data []byte) error {
	if err := profile.ReplaceFile(filepath.Join(s.dir(), name), data); err != nil {
		return err
	}
	s.outputs[what] = name
	return nil
}
