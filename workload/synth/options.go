package synth

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

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
	var faults []error
	fault := func(ok bool, flag string, value any, allowed string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s %v: must be %s", flag, value, allowed))
		}
	}
	fault(o.Requests >= 0, "--num-requests", o.Requests, "at least 1")
	fault(o.Speedup == 0 || o.Speedup >= 1e-6 && o.Speedup <= 1e6, "--speedup-ratio", o.Speedup, "from 1e-06 to 1e+06")
	fault(o.PrefixLen >= 0 && o.PrefixLen <= maxMultiplier, "--prefix-len-multiplier", o.PrefixLen, "above 0 and at most 1000")
	fault(o.PromptLen >= 0 && o.PromptLen <= maxMultiplier, "--prompt-len-multiplier", o.PromptLen, "above 0 and at most 1000")
	fault(o.PrefixRoots >= 0 && o.PrefixRoots <= maxRoots, "--prefix-root-multiplier", o.PrefixRoots, "from 1 to 1048576")
	for _, l := range []struct {
		name     string
		min, max int
	}{{"isl", o.MinISL, o.MaxISL}, {"osl", o.MinOSL, o.MaxOSL}} {
		fault(l.min >= 0, "--min-"+l.name, l.min, "at least 1 token")
		fault(l.max >= 0, "--max-"+l.name, l.max, "at least 1 token")
		fault(l.min <= workload.MaxTokens, "--min-"+l.name, l.min, fmt.Sprintf("at most %d tokens", workload.MaxTokens))
		fault(l.max == 0 || l.min <= l.max, "--min-"+l.name, l.min, fmt.Sprintf("at most --max-%s %d", l.name, l.max))
	}
	fault(int(o.Arrivals) < len(lawNames), "--arrival", int(o.Arrivals), "empirical, poisson or gamma")
	fault(o.Rate >= 0 && o.Rate <= maxRate, "--request-rate", o.Rate, "above 0 and at most 1e+09 per second")
	fault(o.Shape == 0 || o.Shape >= minShape && o.Shape <= maxShape, "--arrival-smoothness", o.Shape, "from 0.01 to 1000")
	return errors.Join(faults...)
}

func (o Options) requests() int      { return cmp.Or(o.Requests, DefaultRequests) }
func (o Options) speedup() float64   { return cmp.Or(o.Speedup, 1) }
func (o Options) prefixLen() float64 { return cmp.Or(o.PrefixLen, 1) }
func (o Options) promptLen() float64 { return cmp.Or(o.PromptLen, 1) }
func (o Options) roots() int         { return cmp.Or(o.PrefixRoots, 1) }
func (o Options) filters() bool      { return o.MinISL > 0 || o.MaxISL > 0 }
func (o Options) keeps(input int) bool {
	return input >= o.MinISL && (o.MaxISL == 0 || input <= o.MaxISL)
}

// clip puts the length of a reply between the limits; an unknown one stays so.
func (o Options) clip(output int) int {
	if output == 0 {
		return 0
	}
	output = max(output, o.MinOSL)
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
	prompt := plain(o.promptLen())
	if !strings.Contains(prompt, ".") {
		prompt += ".0"
	}
	name := fmt.Sprintf("%s_synth_%sx%d+%s_speedup%s", input[:dot], plain(o.prefixLen()), o.roots(), prompt, plain(o.speedup()))
	for _, l := range []struct {
		name  string
		value int
	}{{"maxisl", o.MaxISL}, {"minisl", o.MinISL}, {"minosl", o.MinOSL}, {"maxosl", o.MaxOSL}} {
		if l.value > 0 {
			name += fmt.Sprintf("_%s%d", l.name, l.value)
		}
	}
	return name + input[dot:]
}

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
