//go:build race

package deploy

// raced says that the race detector is on, which makes simulating ten times as
// slow.
const raced = true
