// Package deploy runs the candidates that package profile measures. An
// [Endpoint] is an engine that somebody else started and that answers at an
// address; the other benches start engines themselves and measure them through
// one.
//
// Plans flow down from profile to an engine, Records flow back up; what an
// engine is, where it runs and how it ends is known here and nowhere else. The
// package refuses to compute figures and to choose.
package deploy
