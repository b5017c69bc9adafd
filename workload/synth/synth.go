// Package synth describes a recorded trace and draws new ones that resemble it.
//
// What is drawn has the lengths of the trace, its shared prefixes, the distances in
// rows at which those come again, and its arrivals, but not the rows themselves;
// [Model.Lost] says what else it does not have.
//
// Data flows one way: rows of a Mooncake trace ([workload.Row]) are analysed
// ([Analyze]) or fitted ([Fit]); a [Model] is drawn from ([Model.Draw]) and gives
// rows again. A Model holds numbers only, no text and no ids of the trace, and
// can be kept as a small JSON file; [Preset] has some that were fitted to public
// traces.
//
// The algorithm is that of NVIDIA Dynamo's prefix data generator (datagen): the
// shared prefixes of a trace form a tree, a new prompt takes a path in it and goes on
// with blocks of its own. Where this package differs from it, the comments say so;
// the largest difference is when a path comes again, which the original leaves to
// chance (recency.go).
//
// The package refuses to invent: a trace without block ids gives rows without
// them, one without timestamps has no arrival law of its own. It knows no
// simulator and no results; which part of the sharing a real cache turns into
// hits is for others to measure.
package synth
