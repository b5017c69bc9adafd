package cluster

import "headway/record"

// Calibration says how far the figures of a simulation may be off whose times were
// fitted to a real server. A Config is the one that is simulated, with all that was set
// after the times were: what it has otherwise than the server has no interval.
type Calibration struct {
	// Basis says it in words, for all loads.
	Basis func(Config) string
	// Draws are clusters that the server may as well be, by what was measured of it,
	// each with a seed of its own: their figures differ by how unsure they are.
	Draws func(Config) []Config
	// Interval completes a figure by where it is expected. spread is the standard
	// deviation of its logarithm over Draws.
	Interval func(f *record.ForetoldFigure, spread float64, of Extent, c Config)
	// Beyond says where a load lies outside of what was measured, Doubts why its
	// figures are less sure than their intervals say.
	Beyond, Doubts func(of Extent) []string
}

// Extent is what a load asks for, lowest and highest.
type Extent struct {
	ISL, OSL [2]int
	// InFlight is the most requests that a worker had at a time.
	InFlight int
	// Closed is set where replies set the pace.
	Closed bool
	// Cached is the share of prompt tokens that were in the prefix cache, 0 to 1.
	Cached float64
}
