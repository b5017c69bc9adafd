package synth

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"headway/internal/fault"
	"headway/workload"
)

// Options say what is drawn from a [Model]. The zero value draws
// [DefaultRequests] rows like those of the trace, with seed 0.
type Options struct {
	// Requests is how many rows are wanted; 0 is DefaultRequests. Rows that MinISL
	// or MaxISL drop are not counted, but they use up their arrival time.
	Requests int
	// Seed is the seed of everything.
	Seed uint64
	// Speedup divides the time between arrivals; 0 is 1.
	Speedup float64
	// PrefixLen multiplies the lengths of shared prefixes; 0 is 1.
	PrefixLen float64
	// PrefixRoots is into how many copies with ids of their own the shared
	// prefixes are divided; every row takes one at random. 0 is 1.
	PrefixRoots int
	// PromptLen multiplies the tokens that a prompt has of its own; 0 is 1.
	PromptLen float64
	// MinISL and MaxISL drop rows whose input is shorter or longer, in tokens; 0
	// is no limit.
	MinISL, MaxISL int
	// OutputLen multiplies the length of the reply, before it is clipped; 0 is 1.
	OutputLen float64
	// MinOSL and MaxOSL clip the length of the reply, in tokens; 0 is no limit.
	MinOSL, MaxOSL int
	// Arrivals is the law of arrival times.
	Arrivals Law
	// Rate in rows per second takes the place of the trace's own, before Speedup;
	// 0 keeps it.
	Rate float64
	// Shape of gamma arrivals; 0 takes the trace's own.
	Shape float64
	// KeepCorrelation draws what a prompt has of its own and the length of its
	// reply together, from rows that left the tree at the same place, or with a
	// compact model after a context of similar length. Otherwise the last block,
	// the other blocks and the reply are drawn each by itself, as Dynamo's
	// generator does: the means are right, the spread is not, since in real traces
	// long contexts come with short additions.
	//
	// From a model without limits as many rows as the trace had are then the rows
	// of the trace in another order, at other times and with other ids.
	KeepCorrelation bool
	// Independent draws with replacement, as Dynamo's generator does. Otherwise
	// everything that the trace had is dealt out once before anything comes again,
	// so that the means and the sharing of short traces are those of the original,
	// too, and shared prefixes come again as soon as in the trace.
	Independent bool
}

// DefaultRequests is how many rows are drawn when nothing is said.
const DefaultRequests = 100000

// Bounds of a valid Options. They keep sums of lengths far from overflow; what a
// single row may have is bounded by [workload.MaxTokens].
const (
	maxMultiplier = 1000
	maxRoots      = 1 << 20
	maxRate       = 1e9
)

// Validate reports every fault.
func (o Options) Validate() error {
	var bad fault.List
	bad.Check(o.Requests >= 0, "num-requests", o.Requests, "at least 1")
	bad.Check(o.Speedup == 0 || o.Speedup >= 1e-6 && o.Speedup <= 1e6, "speedup-ratio", o.Speedup,
		"from 1e-06 to 1e+06")
	bad.Check(o.PrefixLen >= 0 && o.PrefixLen <= maxMultiplier, "prefix-len-multiplier", o.PrefixLen,
		"above 0 and at most 1000")
	bad.Check(o.PromptLen >= 0 && o.PromptLen <= maxMultiplier, "prompt-len-multiplier", o.PromptLen,
		"above 0 and at most 1000")
	bad.Check(o.OutputLen >= 0 && o.OutputLen <= maxMultiplier, "osl-multiplier", o.OutputLen,
		"above 0 and at most 1000")
	bad.Check(o.PrefixRoots >= 0 && o.PrefixRoots <= maxRoots, "prefix-root-multiplier", o.PrefixRoots,
		"from 1 to 1048576")
	for _, l := range []struct {
		name     string
		min, max int
	}{{"isl", o.MinISL, o.MaxISL}, {"osl", o.MinOSL, o.MaxOSL}} {
		low, high := fault.Field("min-"+l.name), fault.Field("max-"+l.name)
		bad.Check(l.min >= 0, low, l.min, "at least 1 token")
		bad.Check(l.max >= 0, high, l.max, "at least 1 token")
		bad.Check(l.min <= workload.MaxTokens, low, l.min, fmt.Sprintf("at most %d tokens", workload.MaxTokens))
		bad.When(l.max != 0 && l.min > l.max, "%s %d: must be at most %s %d", low, l.min, high, l.max)
	}
	bad.Check(int(o.Arrivals) < len(lawNames), "arrival", int(o.Arrivals), "empirical, poisson or gamma")
	bad.Check(o.Rate >= 0 && o.Rate <= maxRate, "request-rate", o.Rate, "above 0 and at most 1e+09 per second")
	bad.Check(o.Shape == 0 || o.Shape >= minShape && o.Shape <= maxShape, "arrival-smoothness", o.Shape,
		"from 0.01 to 1000")
	return bad.Err()
}

func (o Options) requests() int      { return cmp.Or(o.Requests, DefaultRequests) }
func (o Options) speedup() float64   { return cmp.Or(o.Speedup, 1) }
func (o Options) prefixLen() float64 { return cmp.Or(o.PrefixLen, 1) }
func (o Options) promptLen() float64 { return cmp.Or(o.PromptLen, 1) }
func (o Options) outputLen() float64 { return cmp.Or(o.OutputLen, 1) }
func (o Options) roots() int         { return cmp.Or(o.PrefixRoots, 1) }
func (o Options) filters() bool      { return o.MinISL > 0 || o.MaxISL > 0 }
func (o Options) keeps(input int) bool {
	return input >= o.MinISL && (o.MaxISL == 0 || input <= o.MaxISL)
}

// reply is the length of a reply, multiplied and put between the limits; an unknown
// one stays so.
func (o Options) reply(output int) int {
	if output == 0 {
		return 0
	}
	output = max(workload.Scaled(output, o.outputLen()), o.MinOSL)
	if o.MaxOSL > 0 {
		output = min(output, o.MaxOSL)
	}
	return output
}

// key is that of a named use of randomness, so that no two streams are related.
func (o Options) key(use string) workload.Key {
	return workload.Seed(o.Seed).Named("synthesize").Named(use)
}

// FileName is the name that Dynamo's generator gives to a trace drawn from a file
// of this name: trace.jsonl becomes trace_synth_1x1+1.0_speedup1.jsonl. A prefix
// multiplier with a fraction keeps it, which the original cuts off.
func (o Options) FileName(input string) string {
	dot := strings.LastIndexByte(input, '.')
	if dot <= strings.LastIndexAny(input, `/\`) {
		dot = len(input)
	}
	name := fmt.Sprintf("%s_synth_%sx%d+%s_speedup%s", input[:dot], plain(o.prefixLen()), o.roots(),
		decimal(o.promptLen()), plain(o.speedup()))
	for _, l := range []struct {
		name  string
		value int
	}{{"maxisl", o.MaxISL}, {"minisl", o.MinISL}, {"minosl", o.MinOSL}, {"maxosl", o.MaxOSL}} {
		if l.value > 0 {
			name += fmt.Sprintf("_%s%d", l.name, l.value)
		}
	}
	if o.outputLen() != 1 {
		name += "_oslx" + decimal(o.outputLen())
	}
	return name + input[dot:]
}

// decimal is a number with a point in it, as Python prints one.
func decimal(x float64) string {
	if s := plain(x); strings.Contains(s, ".") {
		return s
	}
	return plain(x) + ".0"
}

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
