package profile

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"headway/record"
)

// cutting is an engine to which the way breaks in every seventh run: each of its
// requests fails.
type cutting struct {
	Subject
	runs *int
}

func (e cutting) Run(ctx context.Context, p Part, sink record.Sink) (Ran, error) {
	*e.runs++
	if *e.runs%7 != 0 {
		return e.Subject.Run(ctx, p, sink)
	}
	for r, err := range p.Source {
		if err != nil {
			return Ran{}, err
		}
		failed := &record.Record{Index: r.Index, Start: 1, Done: 2, Outcome: record.Failed,
			Failure: &record.Failure{Class: record.ClassReset, Message: "closed by the server"}}
		if err := sink.Take(failed); err != nil {
			return Ran{}, err
		}
	}
	return Ran{Span: time.Second}, fmt.Errorf("%w: all failed", ErrCut)
}

// A way that breaks is not the engine's failure: what was cut is measured again, and
// the search ends as one whose way held. One that always breaks ends the candidate.
func TestCutRunsAreMeasuredAgain(t *testing.T) {
	for _, method := range []Method{Thorough, Fast} {
		s := slaTest(t, &slaBench{})
		s.Method = method
		want, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		s = slaTest(t, nil)
		s.Method, s.Bench = method, openFunc(func(ctx context.Context, c Candidate) (Subject, error) {
			e, err := (&slaBench{}).Open(ctx, c)
			return cutting{Subject: e, runs: &runs}, err
		})
		got, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for p, o := range map[Phase][2]PhaseResult{Prefill: {want.Prefill, got.Prefill},
			Decode: {want.Decode, got.Decode}} {
			for i, c := range o[1].Outcomes {
				if w := o[0].Outcomes[i]; c.Status != w.Status || len(c.Trials) != len(w.Trials) ||
					c.Status == Measured && c.Trials[0].Failed != 0 {
					t.Errorf("%s, %s %s: %+v", method, p, c.Mapping, c)
				}
			}
			if o[0].Pick.Mapping != o[1].Pick.Mapping || o[0].Pick.Trial.ITL != o[1].Pick.Trial.ITL {
				t.Errorf("%s: %s picks %+v, without cuts %+v", method, p, o[1].Pick, o[0].Pick)
			}
		}
		if runs < 10 {
			t.Errorf("%s: %d runs", method, runs)
		}
	}
	tries := 0
	_, err := uncut(func() (Trial, error) { tries++; return Trial{}, ErrCut })
	if !errors.Is(err, ErrCut) || tries != 1+cutAgain {
		t.Errorf("%d tries: %v", tries, err)
	}
}
