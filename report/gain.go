package report

import (
	"fmt"
	"math"

	"headway/metric"
	"headway/record"
)

// Effect is how many times better an arm is, with its 95 % interval; NaN is not
// known.
type Effect struct {
	Value, Low, High float64
	// Expected is where a server's is expected, by the calibration of a simulation;
	// nil where nothing was calibrated.
	Expected *Expected
}

// Gain is how much better an arm is than the baseline of its case: above 1 is
// better. Latencies are the baseline's over the arm's, throughput the arm's
// over the baseline's.
type Gain struct {
	Arm, Baseline              string
	TTFTMean, TTFTP50, TTFTP99 Effect
	ITLMean, LatencyMean       Effect
	OutputThroughput           Effect
	// Word is about TTFTMean: "faster", "slower", "the same within 5 %", or "not
	// decided".
	Word string
	// Caution is empty where the gain can be quoted, else says why not.
	Caution string
}

// Gains are those of the case's other arms over the baseline; none where the
// baseline was not measured.
func (c Case) Gains(baseline string) []Gain {
	var base *Arm
	for i := range c.Arms {
		if c.Arms[i].Name == baseline {
			base = &c.Arms[i]
		}
	}
	if base == nil {
		return nil
	}
	var all []Gain
	for _, a := range c.Arms {
		if a.Name == baseline {
			continue
		}
		g := Gain{
			Arm: a.Name, Baseline: baseline,
			TTFTMean:         effect(*base, a, "time_to_first_token", "avg"),
			TTFTP50:          effect(*base, a, "time_to_first_token", "p50"),
			TTFTP99:          effect(*base, a, "time_to_first_token", "p99"),
			ITLMean:          effect(*base, a, "inter_token_latency", "avg"),
			LatencyMean:      effect(*base, a, "request_latency", "avg"),
			OutputThroughput: effect(a, *base, "output_token_throughput", "avg"),
		}
		g.Word = g.TTFTMean.word()
		g.Caution = caution(*base, a, g.TTFTMean)
		all = append(all, g)
	}
	return all
}

// effect is the ratio of a figure in one arm over that in another. The arms were
// given the same requests, so pairs tell more than two intervals do: pairs of
// runs with the same seed where there are several, else pairs of requests. In a
// simulation that was calibrated, pairs with the same parameters do, too.
func effect(over, under Arm, tag, stat string) Effect {
	e := effectOfRuns(over, under, tag, stat)
	e.expect(over, under, tag, stat)
	return e
}

// effectOfRuns is the effect in what was measured or simulated.
func effectOfRuns(over, under Arm, tag, stat string) Effect {
	var ratios []float64
	for i, r := range over.Runs() {
		if i >= len(under.Runs()) {
			break
		}
		a, b := within(r.Result, tag, stat), within(under.Runs()[i].Result, tag, stat)
		if x := ratio(a, b); !math.IsNaN(x) {
			ratios = append(ratios, x)
		}
	}
	switch {
	case len(ratios) == 0:
		return Effect{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	case len(ratios) > 1:
		value, low, high := metric.RatioOfRuns(ratios)
		return Effect{Value: value, Low: low, High: high}
	}
	e := Effect{Value: ratios[0], Low: math.NaN(), High: math.NaN()}
	a, b := within(over.Report.Result, tag, stat), within(under.Report.Result, tag, stat)
	if _, isRate := lead(over.Report.Result).Rate(tag); isRate {
		if finite(a.Low) && finite(b.Low) {
			share := math.Hypot((a.High-a.Low)/2/a.Value, (b.High-b.Low)/2/b.Value)
			e.Low, e.High = e.Value*(1-share), e.Value*(1+share)
		}
		return e
	}
	if stat != "avg" {
		return e
	}
	if x, low, high, why := metric.Paired(over.Report.Result, under.Report.Result, tag); why == "" {
		e.Low, e.High = e.Value*low/x, e.Value*high/x
	}
	return e
}

func lead(r *metric.Result) *metric.Part {
	p, _ := r.Lead()
	return p
}

// ratio is NaN where either figure is not known, infinite or only bounded.
func ratio(a, b Figure) float64 {
	if !finite(a.Value) || !finite(b.Value) || a.AtLeast || b.AtLeast || a.Value <= 0 || b.Value <= 0 {
		return math.NaN()
	}
	return a.Value / b.Value
}

// margin is how far from 1 a gain may be to be called the same, and quotable how
// wide its interval at the most, each side of it, as a share of the gain.
const margin, quotable = 0.05, 0.05

// halfWidth is the interval's half-width as a share of the value.
func (e Effect) halfWidth() float64 {
	low, high := e.Span()
	return (high - low) / 2 / e.Value
}

// word says what the interval says.
func (e Effect) word() string {
	low, high := e.Span()
	switch {
	case !finite(low):
		return undecided
	case 1/(1+margin) <= low && high <= 1+margin:
		return fmt.Sprintf("the same within %.0f %%", 100*margin)
	case low > 1:
		return "faster"
	case high < 1:
		return "slower"
	}
	return undecided
}

const undecided = "not decided"

// caution says why a gain must not be quoted: a queue that grows as long as
// the load lasts makes any ratio of latencies, given a long enough run.
func caution(base, arm Arm, gain Effect) string {
	why := ""
	switch sat, own := saturated(base), saturated(arm); {
	case sat != "" && own != "":
		why = "both are saturated (" + sat + ", " + own + ")"
	case sat != "" || own != "":
		why = sat + own
	default:
		for _, a := range []Arm{base, arm} {
			if why == "" {
				why = a.unfit()
			}
		}
	}
	switch {
	case why != "":
	case gain.byTwin() && gain.halfWidth() > quotable:
		why = fmt.Sprintf("where it is expected on the server is wider than ±%.0f %%: measure it there (--url)",
			100*quotable)
	case !finite(gain.Low) && !gain.byTwin():
		why = "its interval is not known: measure more requests, or repeat the runs (--repeats)"
	case gain.halfWidth() > quotable:
		why = fmt.Sprintf("its 95 %% interval is wider than ±%.0f %%: measure more requests, or repeat the runs "+
			"(--repeats)", 100*quotable)
	default:
		return ""
	}
	return "not a gain to quote: " + why
}

// saturated says in which share of its load an arm is saturated; empty where it
// is in no run.
func saturated(a Arm) string {
	for _, r := range a.Runs() {
		one := a
		one.Report = r
		if sat, share := one.Saturation(); sat {
			return fmt.Sprintf("%s is saturated: it %s", a.Name, CompletedText(share))
		}
	}
	return ""
}

// fewest is how many answered requests a gain is at least of, and answeredShare
// which share of what was sent must be answered.
const fewest, answeredShare = 5, 0.99

// unfit says why an arm's runs are no ground for a gain.
func (a Arm) unfit() string {
	for _, r := range a.Runs() {
		res := r.Result
		sent := res.OK + res.Failed + res.Cancelled
		ttft, _ := lead(res).Summary("time_to_first_token")
		switch {
		case res.OK < fewest:
			return fmt.Sprintf("fewer than %d requests were answered", fewest)
		case float64(res.OK) <= answeredShare*float64(sent):
			return fmt.Sprintf("%s answered %d of %d requests", a.Name, res.OK, sent)
		case r.Run.Audit != nil && r.Run.Audit.Verdict != record.AuditValid:
			return fmt.Sprintf("the client of %s was %s", a.Name, r.Run.Audit.Verdict)
		case ttft.Why == metric.NotStationary:
			return fmt.Sprintf("the TTFT of %s drifts over the whole run", a.Name)
		}
	}
	return ""
}

// gainText is a line for each gain.
func (c *Comparison) gainText(d *Document) {
	for _, k := range c.Cases {
		for _, g := range k.Gains(c.Baseline) {
			of := "times better"
			if g.TTFTMean.byTwin() {
				of = "times better, and where that is expected on the server"
			}
			line := fmt.Sprintf("gain of %s over %s (%s): TTFT mean %s, p50 %s, p99 %s; ITL mean %s; "+
				"output tok/s %s; TTFT: %s",
				g.Arm, g.Baseline, of, times(g.TTFTMean), times(g.TTFTP50), times(g.TTFTP99), times(g.ITLMean),
				times(g.OutputThroughput), g.Word)
			if c.XLabel != "" {
				line = fmt.Sprintf("%s %s: %s", c.XLabel, significant(k.X), line)
			}
			if why := g.unforetold(); why != "" {
				line += " – of the simulation alone; no interval on the server: " + why
			}
			if g.Caution != "" {
				line += " – " + g.Caution
			}
			d.text("", line)
		}
	}
}

// unforetold says why a gain in a calibrated simulation has no interval on the server;
// empty where it has one, and where nothing was calibrated.
func (g Gain) unforetold() string {
	if x := g.TTFTMean.Expected; x != nil {
		return x.Why
	}
	return ""
}

func times(e Effect) string {
	if math.IsNaN(e.Value) {
		return "–"
	}
	s := fmt.Sprintf("%.2f×", e.Value)
	if low, high := e.Span(); finite(low) {
		s += fmt.Sprintf(" (%.2f–%.2f)", low, high)
	}
	return s
}
