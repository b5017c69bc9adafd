// Package power counts how often a duel of two sides that are alike proves a
// difference, at any number of blocks, and how soon a planted one is found. All runs
// are simulated in virtual time. It has tests only; `make duel-power` runs it at full
// size and prints the tables of docs/duel.md.
package power
