// Package compare says whether one side of a comparison is better than another:
// folders of results of runs, sweeps, benchmarks of routing, profiles, simulations and
// aiperf.
//
// Runs of each side are put into points of the same load, and points of two sides
// are matched by what they measured. Of each figure there is the change with its
// 95 % interval (contrast.go), and one word: better, worse, same or not decided
// (word.go). A word is corrected for the number of figures that were looked at
// (holm.go), and where nothing is decided it is said what it would take (need.go).
// Gates (gate.go) hold changes and values against bounds.
//
// Runs are the unit wherever a side has several, or a baseline tells how much runs
// vary. Within a single run the intervals are those of package series, which know
// that requests depend on each other; they do not know what changes from one run to
// the next, so that a variation between runs is assumed on top ([Options.Assumed]).
//
// Data flows one way: folders in, a [Result] out, which is shown as a document, JSON
// or JUnit's XML. The package sends nothing and knows no command line.
package compare
