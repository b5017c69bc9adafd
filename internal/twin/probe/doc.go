// Package probe calibrates a twin on a server that answers: it chooses loads, drives
// them through a [Subject], and hands what was measured to the fit.
//
// The first probe asks one request at a time, and what it shows sizes the others.
// From then on the next probe is the one that, by the model as it is known so far,
// narrows the prediction of other loads most for the time it takes ([teacher]).
// One probe is never fitted and judges the twin. A probe ends early when the server
// suffers ([guard]), and its Records are ordinary results in a folder, so that an
// interrupted calibration goes on where it was ([Journal]) and `twin fit FOLDER`
// reads them, too.
//
// The package knows no address: a simulated server in virtual time is a Subject as
// good as a real one.
package probe
