package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"headway/internal/profile"
)

// profileQueryCmd asks a profile what Dynamo's planner asks it.
type profileQueryCmd struct {
	Dir  string  `name:"profile-results-dir" type:"path" placeholder:"DIR" help:"Folder of the profile: what profile endpoint, profile sla or Dynamo's profiler has written."`
	ISL  float64 `name:"isl" default:"3000" help:"Prompt length (tokens)."`
	OSL  float64 `name:"osl" default:"150" help:"Reply length (tokens)."`
	TTFT float64 `name:"ttft" default:"100" help:"Target of the time to first token (ms)."`
	ITL  float64 `name:"itl" default:"10" help:"Target of the inter-token latency (ms)."`
	JSON bool    `name:"json" help:"Print the answer as JSON."`
}

// Help is shown below the options.
func (profileQueryCmd) Help() string {
	return `Examples:

  headway profile query --profile-results-dir out --isl 3000 --osl 150 --ttft 100 --itl 10

Each figure is given as the planner reads it, and as well as the measurements
allow; ± is what the curve misses by when a point is left out of it (root mean
square over the points), in brackets at the point nearest to the question.

There is no answer for a length outside of what was measured, nor where the KV
cache holds no request: the output says so, and the exit code is 1.`
}

func (c *profileQueryCmd) run(_ context.Context, a app) (int, error) {
	var bad faultList
	if c.Dir == "" {
		bad.add("--profile-results-dir: name the folder of a profile; `headway profile endpoint` measures one")
	}
	bad.between("isl", c.ISL, 1, 1<<24)
	bad.between("osl", c.OSL, 1, 1<<24)
	bad.positive("ttft", c.TTFT)
	bad.positive("itl", c.ITL)
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	prefill, noPrefill := profile.ReadPrefillTable(c.Dir)
	decode, noDecode := profile.ReadDecodeTable(c.Dir)
	if prefill == nil && decode == nil {
		return exitFailed, errors.Join(noPrefill, noDecode)
	}
	for _, err := range []error{noPrefill, noDecode} {
		if err != nil {
			a.note("warning: %v", err)
		}
	}
	answer := profile.Ask(profile.Question{ISL: c.ISL, OSL: c.OSL, TTFT: c.TTFT, ITL: c.ITL}, prefill, decode)
	if c.JSON {
		if err := printJSON(a.stdout, answer); err != nil {
			return exitFailed, err
		}
	} else if err := c.print(a.stdout, answer); err != nil {
		return exitFailed, err
	}
	if none := answer.Unanswered(); len(none) > 0 {
		return exitFailed, fmt.Errorf("the profile does not answer the question: %s", strings.Join(none, "; "))
	}
	return exitDone, nil
}

// print writes the answer for people: the planner's, then ours.
func (c *profileQueryCmd) print(w io.Writer, a profile.Answer) error {
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	say("ISL %g, OSL %g, targets: TTFT %g ms, ITL %g ms", c.ISL, c.OSL, c.TTFT, c.ITL)
	if p := a.Prefill; p != nil {
		say("\nPrefill")
		if p.Planner.Known {
			say("  planner   TTFT %.2f ms: %s", p.Planner.TTFT, plannerPrefill(p))
			say("            %.2f tokens/s/GPU: %.3f requests/s saturate one GPU", p.Planner.Throughput, p.Planner.PerGPU)
		} else {
			say("  planner   fails: it takes at least 4 prompt lengths")
		}
		say("  measured  TTFT %s: %s", reading(p.TTFT, "ms"), verdict(p.Met, p.Sure, p.Undecided))
		say("            %s: %.3f requests/s saturate one GPU%s", reading(p.Throughput, "tokens/s/GPU"), p.PerGPU, where(p.Throughput))
	}
	if d := a.Decode; d != nil {
		say("\nDecode, at a context of ISL + OSL/2 = %g tokens", d.Context)
		say("  planner   ITL %.2f ms at %.2f %% of the KV cache: %s", d.Planner.ITL, 100*d.Planner.KVUsage,
			verdict(d.Planner.Met, true, d.Planner.Undecided))
		say("            %.2f tokens/s/GPU%s: %.3f requests/s saturate one GPU", d.Planner.Throughput, other(d.Planner.Throughput, d.Planner.Other), d.Planner.PerGPU)
		say("  measured  ITL %s at %.2f %% of the KV cache (%.0f requests): %s", reading(d.ITL, "ms"), 100*d.KVUsage, d.Requests,
			verdict(d.Met, d.Sure, d.Undecided))
		say("            %s: %.3f requests/s saturate one GPU%s", reading(d.Throughput, "tokens/s/GPU"), d.PerGPU, where(d.Throughput))
	}
	return err
}

// reading is a value with what it is worth.
func reading(r profile.Reading, unit string) string {
	s := fmt.Sprintf("%.2f", r.Value)
	if !math.IsNaN(r.Error) {
		s += fmt.Sprintf(" ±%.2g", r.Error)
	}
	if !math.IsNaN(r.NearestError) {
		s += fmt.Sprintf(" (nearby %.2g)", r.NearestError)
	}
	return s + " " + unit
}

// where says that a figure is that of the nearest point.
func where(r profile.Reading) string {
	if r.Measured {
		return ""
	}
	return " at the nearest point that was measured"
}

// plannerPrefill is the planner's verdict on TTFT.
func plannerPrefill(p *profile.PrefillAnswer) string {
	if p.Planner.Met != nil && *p.Planner.Met {
		return fmt.Sprintf("met, requests can queue %.2f ms", p.Planner.Slack)
	}
	return verdict(p.Planner.Met, true, p.Undecided)
}

// other is what the planner reads when its SciPy divides points on one circle
// otherwise, where that is another figure.
func other(rate, otherwise float64) string {
	if math.Abs(otherwise-rate) < 0.0005*math.Abs(rate) {
		return ""
	}
	return fmt.Sprintf(" (%.2f where SciPy divides points on one circle otherwise)", otherwise)
}

// verdict is what became of a target; why says that there is no answer.
func verdict(met *bool, sure bool, why string) string {
	switch {
	case met == nil:
		return "not decided: " + why
	case !sure:
		return "not decided: closer to the target than the error of reading it"
	case *met:
		return "met"
	}
	return "above the target"
}
