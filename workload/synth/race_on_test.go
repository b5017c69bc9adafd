//go:build race

package synth

// raced says that the race detector is on, which makes drawing ten times as slow.
const raced = true
