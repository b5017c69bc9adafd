package duel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"headway/internal/compare"
	"headway/internal/fault"
	"headway/report"
)

// A duel that ended before its first block shows no values, and says why.
func TestResultOfNothing(t *testing.T) {
	r := refereeOf(t, "ttft avg")
	res := &Result{A: "a", B: "b", Rules: r.Rules, Rulings: r.Rulings, Ended: "side A is broken."}
	var out bytes.Buffer
	if err := res.Document().Write(&out, report.ConsoleOptions{Markdown: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 blocks of", "Ended: side A is broken.\n", "no block counts"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, &out)
		}
	}
	if x := res.Rulings[0]; !math.IsNaN(x.A.Value) || !math.IsNaN(x.B.Value) || !math.IsNaN(x.Change.Value) {
		t.Errorf("values without a block: %+v", x)
	}
	raw, err := json.Marshal(res.JSON())
	if err != nil || !strings.Contains(string(raw), `"ended":"side A is broken."`) {
		t.Errorf("%s, %v", raw, err)
	}
}

// What ended a duel names options as the command line does, and keeps secrets.
func TestTextOfErrors(t *testing.T) {
	s := &Study{called: func(f fault.Field) string { return "--" + string(f) }}
	err := fmt.Errorf("side B is broken: %w", fault.New("%s sends them all the same", fault.Field("no-fail-fast")))
	if got := s.text(err); got != "side B is broken: --no-fail-fast sends them all the same" {
		t.Error(got)
	}
}

// An error is not a duel that decided nothing: it has the exit code of errors.
func TestOutcome(t *testing.T) {
	undecided := &Result{Rulings: []Ruling{{Word: compare.NotDecided}}}
	worse := &Result{Rulings: []Ruling{{Word: compare.NotDecided}, {Word: compare.Worse}}}
	same := &Result{Rulings: []Ruling{{Word: compare.Same}, {Word: compare.Better}}}
	client := &Result{Rulings: undecided.Rulings, Invalid: 1}
	for i, c := range []struct {
		of   *Result
		err  error
		want Outcome
	}{
		{undecided, nil, Outcome{Undecided: true}},
		{undecided, errors.New("side B is broken"), Outcome{}},
		{worse, nil, Outcome{Worse: true}},
		{worse, errors.New("side B is broken"), Outcome{}},
		{same, nil, Outcome{}},
		{client, nil, Outcome{Undecided: true, Invalid: true}},
	} {
		if got := c.of.outcome(c.err); got != c.want {
			t.Errorf("%d: %+v, want %+v", i, got, c.want)
		}
	}
}
