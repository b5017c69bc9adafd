// Package series says what a sequence of dependent values tells of its
// stationary value, and how surely.
//
// Requests of one run share batches, queues and caches, so that the latency of
// one says something about that of the next. Formulas for independent values
// (s/√n, binomial order statistics) then give intervals that are several times
// too narrow. Every interval here rests on the long-run variance of the
// sequence, which counts the covariances: the spectral density at frequency
// zero, estimated from the few slowest cosines of the sequence (spread.go).
//
// Values come in, in order of request start; an [Estimate] comes out, which is
// an interval, or a [Reason] why the values do not give one. [Start] tells where
// the stationary part begins. The package knows neither requests nor clocks nor
// metrics.
package series
