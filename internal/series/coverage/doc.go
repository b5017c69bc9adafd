// Package coverage measures how often the intervals of one run hold the
// stationary value, on loads in virtual time whose stationary value is known
// from a run a hundred times as long. It has tests only; `make coverage` runs it
// at full size and prints the table of docs/accuracy.md.
package coverage
