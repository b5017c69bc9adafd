// Package hidden counts how often the intervals of twins hold. It makes servers that
// are the model itself with numbers that no fit knows, measures the loads of a
// calibration on them, fits a twin, and has it foretell other loads, whose true
// figures are known as well as one run tells them.
//
// It says nothing of how near the model is to a real server: docs/twin-study.md has
// that. It is a tool of this project (make twin-hidden), not a verb.
package hidden
