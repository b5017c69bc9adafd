package options

import (
	"headway/internal/fault"
	"headway/workload"
	"headway/workload/synth"
)

// Synthesis says how a new trace differs from the one it is drawn from, under the
// names of Dynamo's generator.
type Synthesis struct {
	Speedup     float64  `name:"speedup-ratio" default:"1" help:"Divide the time between arrivals by this."`
	PrefixLen   float64  `name:"prefix-len-multiplier" default:"1" help:"Multiply the lengths of shared prefixes."`
	PrefixRoots int      `name:"prefix-root-multiplier" default:"1" help:"Number of separate copies that the shared prefixes are divided into."`
	PromptLen   float64  `name:"prompt-len-multiplier" default:"1" help:"Factor on the unique tokens of each prompt."`
	MaxISL      int      `name:"max-isl" default:"0" placeholder:"N" help:"Leave out requests with more input tokens."`
	MinISL      int      `name:"min-isl" default:"0" placeholder:"N" help:"Leave out requests with fewer input tokens."`
	OutputLen   *float64 `name:"osl-multiplier" placeholder:"X" help:"Multiply the output lengths, before --min-osl and --max-osl apply."`
	MinOSL      int      `name:"min-osl" default:"0" placeholder:"N" help:"Raise shorter outputs to this."`
	MaxOSL      int      `name:"max-osl" default:"0" placeholder:"N" help:"Cut longer outputs to this."`
	Arrivals    string   `name:"arrivals" aliases:"arrival" enum:"empirical,poisson,gamma" default:"empirical" help:"Law of the arrivals: ${enum}."`
	Correlated  bool     `name:"keep-correlation" default:"true" negatable:"" help:"Draw the unique length of a prompt together with its context and output length. --no-keep-correlation draws each independently, as Dynamo's generator does; the spread of the lengths is then lost."`
}

// Faults are those of the options, zeros included: in [synth.Options] they stand
// for the defaults.
func (f Synthesis) Faults(bad *fault.List) {
	bad.Positive("speedup-ratio", f.Speedup)
	bad.Positive("prefix-len-multiplier", f.PrefixLen)
	bad.Positive("prompt-len-multiplier", f.PromptLen)
	if f.OutputLen != nil {
		bad.Positive("osl-multiplier", *f.OutputLen)
	}
	bad.Positive("prefix-root-multiplier", float64(f.PrefixRoots))
	o, err := f.Options(1, 0)
	if err != nil {
		bad.Add("%w", err)
	}
	given := f.OutputLen == nil || *f.OutputLen > 0 // else it was reported
	if given && f.Speedup > 0 && f.PrefixLen > 0 && f.PromptLen > 0 && f.PrefixRoots > 0 {
		if err := o.Validate(); err != nil {
			bad.Add("%w", err)
		}
	}
}

// outputLen is 0 where nothing is multiplied. Its option has no default, so that
// what was begun before there was one can be gone on with.
func (f Synthesis) outputLen() float64 {
	if f.OutputLen == nil {
		return 0
	}
	return *f.OutputLen
}

// Bounds are those of the options that choose and cut rows and draw nothing.
func (f Synthesis) Bounds() workload.Bounds {
	return workload.Bounds{
		MinISL:    f.MinISL,
		MaxISL:    f.MaxISL,
		OSLFactor: f.outputLen(),
		MinOSL:    f.MinOSL,
		MaxOSL:    f.MaxOSL,
	}
}

// Options are those of the package that draws.
func (f Synthesis) Options(requests int, seed uint64) (synth.Options, error) {
	law, err := synth.ParseLaw(f.Arrivals)
	return synth.Options{
		Requests:        requests,
		Seed:            seed,
		Speedup:         f.Speedup,
		PrefixLen:       f.PrefixLen,
		PrefixRoots:     f.PrefixRoots,
		PromptLen:       f.PromptLen,
		MinISL:          f.MinISL,
		MaxISL:          f.MaxISL,
		OutputLen:       f.outputLen(),
		MinOSL:          f.MinOSL,
		MaxOSL:          f.MaxOSL,
		Arrivals:        law,
		KeepCorrelation: f.Correlated,
	}, err
}

// changesRows says that something is asked for that cannot be done to a row that
// is there: others have to be drawn.
func (f Synthesis) changesRows() bool {
	f.Speedup = 1
	f.MinISL = 0
	f.MaxISL = 0
	f.OutputLen = nil
	f.MinOSL = 0
	f.MaxOSL = 0
	asTheyAre := Synthesis{Speedup: 1, PrefixLen: 1, PrefixRoots: 1, PromptLen: 1, Arrivals: "empirical",
		Correlated: true}
	return f != asTheyAre
}
