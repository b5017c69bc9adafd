package profile

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"headway/report"
)

// AskFolder answers a question from the halves of a profile that a folder has.
// missing says which it has not; the error, that it has none.
func AskFolder(dir string, q Question) (a Answer, missing, err error) {
	prefill, noPrefill := ReadPrefillTable(dir)
	decode, noDecode := ReadDecodeTable(dir)
	if prefill == nil && decode == nil {
		return a, nil, errors.Join(noPrefill, noDecode)
	}
	return Ask(q, prefill, decode), errors.Join(noPrefill, noDecode), nil
}

// Document is the answer for people: for each half the planner's, then ours.
func (a Answer) Document() *report.Document {
	d := &report.Document{}
	q := a.Question
	d.Line("ISL %g, OSL %g, targets: TTFT %g ms, ITL %g ms", q.ISL, q.OSL, q.TTFT, q.ITL)
	for _, lines := range [][]string{a.Prefill.lines(), a.Decode.lines()} {
		if len(lines) > 0 {
			d.Gap()
			d.Line("%s", lines[0])
			d.Block(strings.Join(lines[1:], "\n"))
		}
	}
	return d
}

func (p *PrefillAnswer) lines() []string {
	if p == nil {
		return nil
	}
	lines := []string{"Prefill"}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if p.Planner.Known {
		say("  planner   TTFT %.2f ms: %s", p.Planner.TTFT, p.planner())
		say("            %.2f tokens/s/GPU: %.3f requests/s saturate one GPU", p.Planner.Throughput, p.Planner.PerGPU)
	} else {
		say("  planner   fails: it takes at least %d prompt lengths", plannerPoints)
	}
	say("  measured  TTFT %s: %s", p.TTFT.text("ms"), verdict(p.Met, p.Sure, p.Undecided))
	say("            %s: %.3f requests/s saturate one GPU%s",
		p.Throughput.text("tokens/s/GPU"), p.PerGPU, p.Throughput.where())
	return lines
}

func (d *DecodeAnswer) lines() []string {
	if d == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("Decode, at a context of ISL + OSL/2 = %g tokens", d.Context)}
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("  planner   ITL %.2f ms at %.2f %% of the KV cache: %s", d.Planner.ITL, 100*d.Planner.KVUsage,
		verdict(d.Planner.Met, true, d.Planner.Undecided))
	say("            %.2f tokens/s/GPU%s: %.3f requests/s saturate one GPU",
		d.Planner.Throughput, other(d.Planner.Throughput, d.Planner.Other), d.Planner.PerGPU)
	say("  measured  ITL %s at %.2f %% of the KV cache (%.0f requests): %s",
		d.ITL.text("ms"), 100*d.KVUsage, d.Requests, verdict(d.Met, d.Sure, d.Undecided))
	say("            %s: %.3f requests/s saturate one GPU%s",
		d.Throughput.text("tokens/s/GPU"), d.PerGPU, d.Throughput.where())
	return lines
}

// text is a value with what it is worth, which is no interval: what the curve
// misses by at points that it is drawn without.
func (r Reading) text(unit string) string {
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
func (r Reading) where() string {
	if r.Measured {
		return ""
	}
	return " at the nearest point that was measured"
}

// planner is the planner's verdict on TTFT.
func (p *PrefillAnswer) planner() string {
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
