// Package trace is what can be done with a trace without sending it: describe it,
// draw another one that resembles it, fit a model to it, convert a file of another
// format. The arithmetic is that of workload and workload/synth; here are the steps
// in their order, the files that come of them, and what is said of them: a
// [report.Document], pictures, and documents in JSON, whose members are named with
// their units.
//
// It knows no options and no terminal.
package trace
