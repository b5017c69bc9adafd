package sla

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headway/internal/profile"
	"headway/internal/settings"
)

// Run searches on a bench, and makes all files of it. The folder must be this
// process's. met says that both targets are; it is of no meaning beside an error.
// The status in the folder says how it ended.
func (s *Search) Run(ctx context.Context, bench profile.Bench) (met bool, err error) {
	s.Search.Bench = bench
	if err := s.begin(); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.status("failed", s.interruption(ctx), s.stage, err))
		}
	}()
	if err := s.measure(ctx); err != nil {
		return false, s.stopped(ctx, err)
	}
	if err := s.decide(); err != nil {
		return false, err
	}
	if s.Curves {
		if err := s.enter(profile.BuildingCurves); err != nil {
			return false, err
		}
		if err := s.curves(ctx); err != nil {
			return false, s.stopped(ctx, err)
		}
	}
	if err := s.enter(profile.GeneratingDGD); err != nil {
		return false, err
	}
	if err := s.configurations(); err != nil {
		return false, err
	}
	return s.finish()
}

// measure searches both phases, and workers that do both halves of a request.
func (s *Search) measure(ctx context.Context) (err error) {
	if s.found.Result, err = s.Search.Run(ctx); err != nil || !s.Aggregated {
		return err
	}
	s.found.Aggregated, err = s.Search.MeasureAggregated(ctx)
	return err
}

// decide makes the result, which has to have a pick for each phase.
func (s *Search) decide() error {
	if err := s.enter(profile.SelectingConfig); err != nil {
		return err
	}
	if err := s.conclude(); err != nil {
		return err
	}
	if r := s.found.Result; r.Prefill.Pick == nil || r.Decode.Pick == nil {
		return s.nothing()
	}
	return nil
}

// finish leaves the last status.
func (s *Search) finish() (met bool, err error) {
	prefill, decode := s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick
	met = prefill.Met && decode.Met
	message := fmt.Sprintf("nothing to recommend; picked: prefill %s, decode %s", prefill.Mapping, decode.Mapping)
	if d := s.recommended(); d != nil {
		message = "recommended: " + d.Workers() + ", " + profile.GPUs(d.GPUs)
	}
	if !met {
		message += "; a target is not met"
	}
	return met, s.status("success", message, profile.Done, nil)
}

// Refused says of an error of Run that the folder belongs to another search:
// nothing was started, and nothing in it was changed.
func Refused(err error) bool {
	return errors.Is(err, profile.ErrHasOutcomes) || errors.Is(err, settings.ErrChanged)
}

// interruption is the message of a search that was ended from outside. The
// status has no word of its own for that: who waits for a search knows Dynamo's
// three, and would wait for ever at a fourth.
func (s *Search) interruption(ctx context.Context) string {
	if ctx.Err() == nil {
		return ""
	}
	return s.text("interrupted, not failed: the same call with %s goes on", resume)
}

// stopped is the end of a search that did not come to one.
func (s *Search) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New(s.text("interrupted: what was measured is kept in %s; the same call with %s goes on", s.dir(),
			resume))
	}
	if Refused(err) {
		return err
	}
	return fmt.Errorf("%w\n%s", err, s.text("what was measured is kept in %s; the same call with %s goes on", s.dir(),
		resume))
}

// begin makes the folder this search's. One that is somebody else's must not lose
// its status.
func (s *Search) begin() error {
	if err := s.Search.Claim(); err != nil {
		return s.stopped(context.Background(), err)
	}
	s.begun = true
	if err := s.writeBase(); err != nil {
		return err
	}
	return s.enter(profile.Initializing)
}

// enter says that a stage has begun.
func (s *Search) enter(stage profile.Stage) error {
	s.stage = stage
	return s.status("running", "", stage, nil)
}

func (s *Search) status(status, message string, stage profile.Stage, failure error) error {
	if !s.begun {
		return nil
	}
	r := profile.StatusReport{Status: status, Message: message, Phase: stage}
	if failure != nil {
		r.Error = s.named(failure)
	}
	if status == "success" {
		r.Outputs = s.outputs
	}
	return profile.WriteStatus(s.dir(), r, time.Now())
}
