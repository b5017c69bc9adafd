package sla

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"headway/internal/profile"
	"headway/internal/settings"
	"headway/metric"
)

// curves measures the selected workers in depth and writes what the planner
// reads.
func (s *Search) curves(ctx context.Context) error {
	for _, p := range []*profile.Pick{s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick} {
		if err := s.curve(ctx, p); err != nil {
			return fmt.Errorf("measuring the selected %s worker %s in depth: %w", p.Phase, p.Mapping, err)
		}
	}
	return s.writeResult()
}

func (s *Search) curve(ctx context.Context, p *profile.Pick) (err error) {
	c := profile.Candidate{Phase: p.Phase, Mapping: p.Mapping}
	mine := maps.Clone(s.Search.Settings)
	if mine == nil {
		mine = settings.Settings{}
	}
	mine["Candidate"], mine["Granularity"] = c.Tag(), strconv.Itoa(s.granularity(p.Phase))
	journal, err := profile.OpenJournal(s.dir(), p.Phase, mine, s.Search.Resume, s.Search.Overwrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	engine, err := s.Search.Bench.Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(context.WithoutCancel(ctx))) }()
	about := inDepthAbout(s.found.Title, p.Mapping.String(), s.found.Note)
	sweep := profile.Grid{Tokens: metric.TokensAuto, MaxContext: s.space().Sequence(),
		Granularity: s.granularity(p.Phase), Repeats: s.Search.Repeats,
		Key: s.Search.Key.Named("in depth").Named(c.Tag()), Journal: journal, Progress: s.step, Name: s.Name}
	half, err := profile.Measure(ctx, p.Phase, engine, sweep)
	if err != nil {
		return err
	}
	for _, v := range half.Verdicts() {
		s.deep = append(s.deep, profile.Verdict{Name: p.Mapping.String() + " in depth, " + v.Name, Invalid: v.Invalid})
	}
	if curve, is := half.(profile.PrefillCurve); is {
		s.confirm(p, curve)
	}
	s.outputs[string(p.Phase)+"_profile"] = "selected_" + string(p.Phase) + "_interpolation/raw_data.npz"
	return profile.Marked(half, s.dir()).WriteFiles(s.dir(), about)
}

// agrees is how far the TTFT of the selected worker may lie from the curve that
// was measured of it afterwards without a word.
const agrees = 0.1

// confirm holds the TTFT by which a prefill worker was chosen against its curve,
// straight between the two prompt lengths around. A fast search may have asked a
// worker that was set up to decode.
func (s *Search) confirm(p *profile.Pick, curve profile.PrefillCurve) {
	points, isl := curve.Usable(), float64(s.space().ISL)
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if isl < float64(a.ISL) || isl > float64(b.ISL) {
			continue
		}
		share := (isl - float64(a.ISL)) / float64(b.ISL-a.ISL)
		ttft := a.TTFT.Mean + share*(b.TTFT.Mean-a.TTFT.Mean)
		if off := ttft/p.Trial.TTFT.Mean - 1; off > agrees || off < -agrees {
			text := s.text("prefill %s was chosen for a TTFT of %.1f ms, and its curve has %.1f ms at %d tokens; "+
				"%s thorough measures every prefill worker as it will run",
				p.Mapping, p.Trial.TTFT.Mean*1e3, ttft*1e3, s.space().ISL, method)
			s.Warn("warning: %s", text)
			s.warnings = append(s.warnings, text)
		}
		return
	}
}

func (s *Search) granularity(p profile.Phase) int {
	if p == profile.Prefill {
		return s.PromptSteps
	}
	return s.Search.Granularity
}

// step says how far an in-depth measurement is, where it takes a while.
func (s *Search) step(p profile.Step) {
	if p.Done && !s.Simulated {
		s.Tell("%s in depth %d/%d: %s: %s", p.Phase, p.Point, p.Points, p.Name, p.Result)
	}
	for _, w := range p.Warnings {
		s.Warn("warning: %s", w)
	}
}
