// Package step takes the times of a profile's points apart: what of them is a step
// of the engine, what the front end's, and what lies outside of both.
//
// A point of a profile is measured at the client. TTFT holds a step, and beside it
// the network, the tokenizer and the way to the engine; ITL at many requests may be
// the time in which a front end writes a step's tokens. A simulated engine that takes
// such times for steps charges what is outside of it once a step, and the reading of
// the weights once for prompts and once for decoding. Here
//
//	step = max(weights, compute·(P + n)) + attention·pairs + kv·contexts + sequence·n
//	TTFT = outside + the step of the prompt alone
//
// with P prompt tokens, n sequences that decode, the sum of their contexts, and the
// pairs of a prompt token and a token that it attends to. Coefficients are fitted to
// the points by least squares of relative errors and are 0 or more. Where the decode
// points lie beside the formula the times follow the points.
//
// The package draws nothing and measures nothing; times are in seconds.
package step
