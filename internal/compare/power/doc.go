// Package power counts how often package compare calls two sides different that are
// alike, and how often it finds a change that was planted, at the size that compare
// itself recommends. All runs are simulated in virtual time, each with a seed of its
// own. It has tests only; `make compare-power` runs it at full size and prints the
// tables of docs/accuracy.md.
package power
