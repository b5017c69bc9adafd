package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"headway/internal/profile"
)

// feasible says before anything starts whether both phases have candidates.
func (s *slaSearch) feasible() error {
	var faults []error
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		list, rejected, err := s.search.Space.Candidates(p)
		if err == nil && len(list) == 0 {
			err = &profile.NoCandidateError{Phase: p, Rejections: rejected, Lo: s.c.MinGPUs, Hi: s.mostGPUs()}
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return usageError{err}
	}
	return nil
}

func (s *slaSearch) mostGPUs() int {
	switch {
	case s.c.MaxGPUs > 0:
		return s.c.MaxGPUs
	case s.c.PerNode > 0:
		return max(s.c.PerNode, s.c.MinGPUs)
	}
	return max(s.search.Space.GPU.PerNode, s.c.MinGPUs)
}

// announce says what will be tried and what not.
func (s *slaSearch) announce() {
	if s.c.Quiet {
		return
	}
	for _, line := range s.search.Space.Model.Assumed {
		s.a.note("note: the model's configuration: %s", line)
	}
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		list, rejected, err := s.search.Space.Candidates(p)
		if err != nil {
			return // feasible has said it
		}
		var names []string
		for _, c := range list {
			names = append(names, c.Mapping.String())
		}
		some := fmt.Sprintf("%d candidates", len(list))
		if len(list) == 1 {
			some = "1 candidate"
		}
		s.a.note("%s: %s: %s", p, some, strings.Join(names, " "))
		for _, r := range rejected {
			for _, why := range r.Reasons {
				s.a.note("%s: not %s: %s", p, r.Candidate.Mapping, why.Reason)
			}
		}
	}
}

// plan says what the search would cost, by simulating it, and starts nothing.
func (s *slaSearch) plan(ctx context.Context) (int, error) {
	rows := [][]string{{"phase", "mapping", "GPUs", "weights/GPU (GB)", "KV tokens"}}
	for _, p := range []profile.Phase{profile.Prefill, profile.Decode} {
		list, _, err := s.search.Space.Candidates(p)
		if err != nil {
			return exitFailed, err
		}
		for _, c := range list {
			m, err := s.search.Space.Setup(c).Memory()
			if err != nil {
				return exitFailed, err
			}
			rows = append(rows, []string{string(p), c.Mapping.String(), fmt.Sprint(c.Mapping.GPUs()), fmt.Sprintf("%.1f", m.Weights/1e9), fmt.Sprint(m.Tokens())})
		}
	}
	if err := writeRows(s.a.stdout, rows); err != nil {
		return exitFailed, err
	}
	for _, method := range []profile.Method{profile.Fast, profile.Thorough} {
		dry := s.search
		dry.Method, dry.Dir, dry.Resume, dry.Progress, dry.Bench = method, "", false, nil, s.simulated(s.c)
		r, err := dry.Run(ctx)
		if err != nil {
			return exitFailed, err
		}
		chosen := ""
		if method == s.search.Method {
			chosen = ", which is chosen"
		}
		fmt.Fprintf(s.a.stdout, "--search %s%s: about %.0f GPU-minutes, by simulation\n", method, chosen, math.Ceil(r.GPUMinutes()))
	}
	fmt.Fprintln(s.a.stdout, "nothing was started (--dry-run)")
	return exitDone, nil
}

// progress says what runs, what is left, and what is best so far.
func (s *slaSearch) progress(p profile.Progress) {
	if p.Started != nil {
		if stage := profile.StageOf(p.Phase); stage != s.stage && s.begun {
			// A status that cannot be written shows when the result cannot be.
			_ = s.enter(stage)
		}
		if s.c.On != "sim" && !s.c.Quiet {
			s.a.note("%s %s: starting; %d left%s", p.Phase, p.Started.Mapping, p.Left, bestSoFar(p))
		}
		return
	}
	o := p.Ended
	text := fmt.Sprintf("%s %s: %s", p.Phase, o.Mapping, o.Status)
	switch {
	case o.Status == profile.Measured:
		if pick, ok := profile.SelectPhase(p.Phase, []profile.Outcome{*o}, s.targetOf(p.Phase)); ok {
			text += ": " + pointText(pick)
		}
	default:
		text += ": " + o.Reason()
	}
	if p.Recalled {
		text += " (measured before)"
	}
	if o.Status != profile.Measured {
		s.a.note("warning: %s", text)
	} else if !s.c.Quiet {
		s.a.note("%s; %d left%s", text, p.Left, bestSoFar(p))
	}
	for _, w := range o.Warnings {
		s.a.note("warning: %s %s: %s", p.Phase, o.Mapping, w)
	}
}

func (s *slaSearch) targetOf(p profile.Phase) float64 {
	if p == profile.Prefill {
		return s.search.Target.TTFT
	}
	return s.search.Target.ITL
}

func bestSoFar(p profile.Progress) string {
	if p.Best == nil {
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
	return fmt.Sprintf("%d at a time, ITL %s ms, %s tokens/s/GPU%s", p.Trial.Concurrency, withinText(p.Trial.ITL, 1e3, 2), rate, missed)
}
