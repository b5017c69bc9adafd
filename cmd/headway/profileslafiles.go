package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"headway/internal/deploy/dgd"
	"headway/internal/profile"
	"headway/metric"
)

// curves measures the selected workers in depth and writes what the planner
// reads.
func (s *slaSearch) curves(ctx context.Context) error {
	for _, p := range []*profile.Pick{s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick} {
		if err := s.curve(ctx, p); err != nil {
			return fmt.Errorf("measuring the selected %s worker %s in depth: %w", p.Phase, p.Mapping, err)
		}
	}
	return s.writeResult()
}

func (s *slaSearch) curve(ctx context.Context, p *profile.Pick) (err error) {
	c := profile.Candidate{Phase: p.Phase, Mapping: p.Mapping}
	settings := struct {
		Candidate   string
		Granularity int
		Settings    map[string]string
	}{c.Tag(), s.granularity(p.Phase), s.search.Settings}
	journal, err := profile.OpenJournal(s.c.OutputDir, p.Phase, settings, s.c.Resume, s.c.Overwrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	engine, err := s.search.Bench.Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(context.WithoutCancel(ctx))) }()
	about := s.found.Title + " · " + p.Mapping.String() + " · " + s.found.Note
	sweep := profile.Sweep{Tokens: metric.TokensAuto, MaxContext: s.context(), Granularity: s.granularity(p.Phase), Repeats: s.c.Repeats,
		Key: s.search.Key.Named("in depth").Named(c.Tag()), Journal: journal, Progress: s.step}
	if p.Phase == profile.Prefill {
		curve, err := profile.MeasurePrefill(ctx, engine, sweep)
		if err != nil {
			return err
		}
		s.confirm(p, curve)
		err = curve.WriteFiles(s.c.OutputDir, about)
		s.outputs["prefill_profile"] = "selected_prefill_interpolation/raw_data.npz"
		return err
	}
	surface, err := profile.MeasureDecode(ctx, engine, sweep)
	if err != nil {
		return err
	}
	s.outputs["decode_profile"] = "selected_decode_interpolation/raw_data.npz"
	return surface.WriteFiles(s.c.OutputDir, about)
}

// agrees is how far the TTFT of the selected worker may lie from the curve that
// was measured of it afterwards without a word.
const agrees = 0.1

// confirm holds the TTFT by which a prefill worker was chosen against its curve,
// straight between the two prompt lengths around. A fast search may have asked a
// worker that was set up to decode.
func (s *slaSearch) confirm(p *profile.Pick, curve profile.PrefillCurve) {
	points, isl := curve.Usable(), float64(s.c.ISL)
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if isl < float64(a.ISL) || isl > float64(b.ISL) {
			continue
		}
		share := (isl - float64(a.ISL)) / float64(b.ISL-a.ISL)
		ttft := a.TTFT.Mean + share*(b.TTFT.Mean-a.TTFT.Mean)
		if off := ttft/p.Trial.TTFT.Mean - 1; off > agrees || off < -agrees {
			text := fmt.Sprintf("prefill %s was chosen for a TTFT of %.1f ms, and its curve has %.1f ms at %d tokens; --search thorough measures every prefill worker as it will run",
				p.Mapping, p.Trial.TTFT.Mean*1e3, ttft*1e3, s.c.ISL)
			s.a.note("warning: %s", text)
			s.warnings = append(s.warnings, text)
		}
		return
	}
}

func (s *slaSearch) granularity(p profile.Phase) int {
	if p == profile.Prefill {
		return s.c.PrefillG
	}
	return s.c.DecodeG
}

// context is the longest context of the engines.
func (s *slaSearch) context() int { return s.search.Space.Sequence() }

// step says how far an in-depth measurement is, where it takes a while.
func (s *slaSearch) step(p profile.Step) {
	if p.Done && s.c.On != "sim" && !s.c.Quiet {
		s.a.note("%s in depth %d/%d: %s: %s", p.Phase, p.Point, p.Points, p.Name, p.Result)
	}
	for _, w := range p.Warnings {
		s.a.note("warning: %s", w)
	}
}

// configurations writes the deployments that the search ends with.
func (s *slaSearch) configurations() error {
	r, c := s.found.Result, s.c
	sel := dgd.Selection{Prefill: r.Prefill.Pick.Mapping, Decode: r.Decode.Pick.Mapping, GPUsPerNode: s.perNode(), PlannerArgs: c.Planner}
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		one, err := s.doc.Candidate(c.Backend, string(p), map[profile.Phase]*profile.Pick{profile.Prefill: r.Prefill.Pick, profile.Decode: r.Decode.Pick}[p].Mapping, s.perNode())
		if err != nil {
			return s.unwritten(err)
		}
		if c.Curves {
			name := filepath.Join("selected_"+string(p)+"_interpolation", "config.yaml")
			if err := s.writeFile(string(p)+"_config", name, one.YAML()); err != nil {
				return err
			}
		}
	}
	if c.Curves {
		var err error
		if sel.PrefillData, err = os.ReadFile(filepath.Join(c.OutputDir, "prefill_raw_data.json")); err != nil {
			return fmt.Errorf("reading the prefill profile: %w", err)
		}
		if sel.DecodeData, err = os.ReadFile(filepath.Join(c.OutputDir, "decode_raw_data.json")); err != nil {
			return fmt.Errorf("reading the decode profile: %w", err)
		}
	}
	final, err := s.doc.Final(c.Backend, sel)
	if err != nil {
		return s.unwritten(err)
	}
	if err := s.writeFile("config_with_planner", "config_with_planner.yaml", final.YAML()); err != nil {
		return err
	}
	if !c.Curves {
		return nil
	}
	mocker, err := s.doc.Mocker(c.Backend, sel)
	if err != nil {
		return s.unwritten(err)
	}
	return s.writeFile("mocker_config_with_planner", "mocker_config_with_planner.yaml", mocker.YAML())
}

// unwritten is the error of a configuration that cannot be made. The search is
// worth having all the same, and lies in the folder.
func (s *slaSearch) unwritten(err error) error {
	return fmt.Errorf("%w\nthe search itself is complete: %s", err, filepath.Join(s.c.OutputDir, "sla_result.json"))
}

func (s *slaSearch) perNode() int {
	if s.c.PerNode > 0 {
		return s.c.PerNode
	}
	return s.search.Space.GPU.PerNode
}
