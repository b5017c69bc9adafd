package profile

import (
	"context"
	"errors"
	"slices"
	"testing"

	"headway/record"
)

// Of a point each kind of warning is said once, those on figures that it has none
// of not at all, and the first run that is not valid.
func TestRemarks(t *testing.T) {
	var m remarks
	of := func(codes ...string) (r Ran) {
		for _, c := range codes {
			r.Warnings = append(r.Warnings, record.Warning{Code: c, Text: "of " + c})
		}
		return r
	}
	if got := m.add("repeat_1", of("few_samples", "a")); !slices.Equal(got, []string{"repeat_1: of a"}) {
		t.Errorf("%v", got)
	}
	second := of("a", "b")
	second.Invalid = "late"
	if got := m.add("repeat_2", second); !slices.Equal(got, []string{"repeat_2: of b"}) ||
		m.invalid != "repeat_2: late" {
		t.Errorf("%v, %q", got, m.invalid)
	}
	second.Invalid = "later"
	if m.add("repeat_3", second); m.invalid != "repeat_2: late" {
		t.Errorf("%q", m.invalid)
	}
}

// What an engine says of its runs is in the point, but for those that prepare.
func TestPointHasWhatIsSaidOfItsRuns(t *testing.T) {
	e := &saying{played: plain()}
	c, err := MeasurePrefill(t.Context(), e, sweep())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Points {
		if p.Invalid != "repeat_1: late" || !slices.Equal(p.Warnings, []string{"repeat_1: odd"}) {
			t.Errorf("%+v", p)
		}
	}
	at := e.parts[0]
	if name := at.Section + "/" + at.Point + "/" + at.Run; name != "prefill_points/isl_100/warm-up" || !at.Anew ||
		!at.Prepares || at.Cached {
		t.Errorf("%+v", at)
	}
	if got := e.parts[1]; got.Run != "repeat_1" || got.Prepares || got.Cached {
		t.Errorf("%+v", got)
	}
	surface, err := MeasureDecode(t.Context(), &saying{played: plain()}, sweep())
	if err != nil || surface.Points[0].Invalid != "repeat_1: late" {
		t.Errorf("%v, %+v", err, surface.Points)
	}
	full := &saying{played: plain(), err: ErrNotKept}
	if _, err := MeasureDecode(t.Context(), full, sweep()); !errors.Is(err, ErrNotKept) || len(full.parts) != 1 {
		t.Errorf("after %d runs: %v", len(full.parts), err)
	}
}

// saying is an engine that has something to say of every run.
type saying struct {
	*played
	parts []Part
	err   error
}

func (e *saying) Run(ctx context.Context, p Part, sink record.Sink) (Ran, error) {
	e.parts = append(e.parts, p)
	if e.err != nil {
		return Ran{}, e.err
	}
	ran, err := e.played.Run(ctx, p, sink)
	ran.Invalid, ran.Warnings = "late", []record.Warning{{Code: "odd", Text: "odd"}}
	return ran, err
}
