package sla

import (
	"context"
	"fmt"
	"math"
	"strings"

	"headway/internal/fault"
	"headway/internal/profile"
	"headway/report"
)

// Announce tells what will be tried and what not.
func (s *Search) Announce() {
	for _, line := range s.Search.Space.Model.Assumed {
		s.Tell("note: the model's configuration: %s", line)
	}
	s.announceTwin()
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		list, rejected, err := s.Search.Space.Candidates(p)
		if err != nil {
			return // New has said it
		}
		var names []string
		for _, c := range list {
			names = append(names, c.Mapping.String())
		}
		some := fmt.Sprintf("%d candidates", len(list))
		if len(list) == 1 {
			some = "1 candidate"
		}
		s.Tell("%s: %s: %s", p, some, strings.Join(names, " "))
		for _, r := range rejected {
			for _, why := range r.Reasons {
				s.Tell("%s: not %s: %s", p, r.Candidate.Mapping, why.Reason)
			}
		}
	}
}

// Plan is what the search would cost by both strategies, found by simulating it on
// a bench. It starts nothing.
func (s *Search) Plan(ctx context.Context, simulated profile.Bench) (*report.Document, error) {
	rows := [][]string{{"phase", "mapping", "GPUs", "weights/GPU (GB)", "KV tokens"}}
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		list, _, err := s.Search.Space.Candidates(p)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			m, err := s.Search.Space.Setup(c).Memory()
			if err != nil {
				return nil, err
			}
			facts, err := s.Search.Space.Facts(c)
			if err != nil {
				return nil, err
			}
			rows = append(rows, []string{string(p), c.Mapping.String(), fmt.Sprint(c.Mapping.GPUs()),
				fmt.Sprintf("%.1f", m.Weights/1e9), fmt.Sprint(facts.KVTokens)})
		}
	}
	d := &report.Document{}
	d.Rows(2, rows)
	for _, by := range []profile.Method{profile.Fast, profile.Thorough} {
		minutes, err := s.simulate(ctx, by, simulated)
		if err != nil {
			return nil, err
		}
		chosen := ""
		if by == s.Search.Method {
			chosen = ", which is chosen"
		}
		d.Line("%s", s.text("%s %s%s: about %.0f GPU-minutes, by simulation", method, by, chosen, math.Ceil(minutes)))
	}
	if s.Aggregated && !s.Simulated { // what costs nothing is not counted
		minutes, err := s.simulateAggregated(ctx, simulated)
		if err != nil {
			return nil, err
		}
		d.Line("%s", s.text("aggregated workers (%s): about %.0f GPU-minutes more, by simulation", whole,
			math.Ceil(minutes)))
	}
	d.Line("%s", s.text("nothing was started (%s)", fault.Field("dry-run")))
	return d, nil
}

// dry is the search on a bench, of which nothing is kept or told.
func (s *Search) dry(bench profile.Bench) profile.Search {
	dry := s.Search
	dry.Bench = bench
	dry.Dir, dry.Resume, dry.Progress = "", false, nil
	return dry
}

// simulate is how many GPU-minutes the search takes by a strategy.
func (s *Search) simulate(ctx context.Context, by profile.Method, bench profile.Bench) (minutes float64, err error) {
	dry := s.dry(bench)
	dry.Method = by
	r, err := dry.Run(ctx)
	return r.GPUMinutes(), err
}

// simulateAggregated is how many workers that do both halves take.
func (s *Search) simulateAggregated(ctx context.Context, bench profile.Bench) (minutes float64, err error) {
	list, err := s.dry(bench).MeasureAggregated(ctx)
	for _, o := range list {
		minutes += o.GPUMinutes
	}
	return minutes, err
}

// progress says what runs, what is left, and what is best so far.
func (s *Search) progress(p profile.Progress) {
	if p.Started != nil {
		if stage := profile.StageOf(p.Phase); stage != s.stage && s.begun {
			// A status that cannot be written shows when the result cannot be.
			_ = s.enter(stage)
		}
		if !s.Simulated {
			s.Tell("%s %s: starting; %d left%s", p.Phase, p.Started.Mapping, p.Left, bestSoFar(p))
		}
		return
	}
	o := p.Ended
	text := fmt.Sprintf("%s %s: %s", p.Phase, o.Mapping, statusText(*o))
	switch {
	case o.Status == profile.Measured && p.Phase == profile.Aggregated:
		text += ": " + s.wholeText(*o)
	case o.Status == profile.Measured:
		if pick, ok := profile.SelectPhase(p.Phase, []profile.Outcome{*o}, s.Search.SLO.Of(p.Phase)); ok {
			text += ": " + pointText(pick) + groundsText(pick.Trial)
		}
	default:
		text += ": " + o.Reason()
	}
	if p.Recalled {
		text += " (measured before)"
	}
	if o.Status != profile.Measured {
		s.Warn("warning: %s", text)
	} else {
		s.Tell("%s; %d left%s", text, p.Left, bestSoFar(p))
	}
	for _, w := range o.Warnings {
		s.Warn("warning: %s %s: %s", p.Phase, o.Mapping, w)
	}
}

// wholeText is what workers that do both halves reach.
func (s *Search) wholeText(o profile.Outcome) string {
	one := []profile.AggregatedOutcome{{Mapping: o.Mapping, GPUs: o.GPUs, Trials: o.Trials}}
	if d := profile.MatchAggregated(one, s.Search.SLO, profile.Demand{ISL: s.Demand.ISL, OSL: s.Demand.OSL,
		GPUHour: s.Demand.GPUHour}); d != nil {
		return fmt.Sprintf("up to %.2f requests/s, mean TTFT %.1f ms, ITL %.2f ms", d.RequestRate, d.TTFT*1e3,
			d.ITL*1e3)
	}
	return "no rate meets both targets"
}

func bestSoFar(p profile.Progress) string {
	if p.Best == nil || p.Phase == profile.Aggregated {
		return ""
	}
	return fmt.Sprintf("; best %s, %.0f tokens/s/GPU", p.Best.Mapping, p.Best.Trial.Throughput.Mean)
}

// pointText is a point in a line.
func pointText(p profile.Pick) string {
	missed := ""
	if !p.Met {
		missed = ", target missed"
	}
	rate := withinText(p.Trial.Throughput, 1, 0)
	if p.Phase == profile.Prefill {
		return fmt.Sprintf("TTFT %s ms, %s tokens/s/GPU%s", withinText(p.Trial.TTFT, 1e3, 1), rate, missed)
	}
	return fmt.Sprintf("%d at a time, ITL %s ms, %s tokens/s/GPU%s",
		p.Trial.Concurrency, withinText(p.Trial.ITL, 1e3, 2), rate, missed)
}
