package profile

import "context"

// Grounds is the kind of what figures rest on.
type Grounds string

// The grounds, the surest first.
const (
	// OnEngine are figures of an engine that ran.
	OnEngine Grounds = "measured"
	// OnTwin are those of a twin at a load of the kind that it was fitted on.
	OnTwin Grounds = "twin"
	// BeyondTwin are those of a twin outside of the range that its fit has seen, or
	// with other settings than its server has.
	BeyondTwin Grounds = "twin_extrapolated"
	// OnRoofline are those of a roofline: nothing of them was ever measured.
	OnRoofline Grounds = "roofline"
)

// String is the kind in words.
func (g Grounds) String() string {
	switch g {
	case OnTwin:
		return "twin"
	case BeyondTwin:
		return "twin, extrapolated"
	case OnRoofline:
		return "roofline, never measured"
	}
	return string(g)
}

// Basis is what the figures of a trial rest on.
type Basis struct {
	Grounds Grounds `json:"kind"`
	// TTFT and ITL are where a twin expects them, in seconds; nil where that is not
	// known.
	TTFT *Expected `json:"ttft_expected_s,omitempty"`
	ITL  *Expected `json:"itl_expected_s,omitempty"`
	// Why says in words how the trial lies outside of what a twin has seen, or why
	// an interval is missing.
	Why []string `json:"why,omitempty"`
}

// Expected is where a figure is expected. Level is the share of cases in which it
// holds, 0 to 1; 0 is a range without one.
type Expected struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level,omitempty"`
}

// Grounded is a [Subject] that knows what its figures rest on. Others are engines
// that run.
type Grounded interface {
	// Basis is that of a trial of requests of isl and osl tokens, asked for after
	// it was measured. It is of no meaning once ctx has ended.
	Basis(ctx context.Context, p Phase, t Trial, isl, osl int) *Basis
}

// grounded are the trials of a phase with what they rest on.
func grounded(ctx context.Context, e Subject, p Phase, trials []Trial, s Space) []Trial {
	by, known := e.(Grounded)
	for i := range trials {
		switch {
		case known:
			trials[i].Basis = by.Basis(ctx, p, trials[i], s.ISL, s.OSL)
		case !e.Facts().Simulated:
			trials[i].Basis = &Basis{Grounds: OnEngine}
		}
	}
	return trials
}

// running is how many of n requests the engine runs at a time.
func (f Facts) running(n int) int {
	if f.Sequences > 0 {
		return min(n, f.Sequences)
	}
	return n
}
