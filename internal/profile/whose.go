package profile

import "headway/metric"

// whose remembers whose counts of tokens the figures of an engine are made of.
// A point is measured in runs of its own and decides when it is sure enough, so
// that the counts cannot wait for the last run: an engine counts as long as all
// of its replies have usage, and once one has none, this side does for good.
type whose struct {
	name   string // client or server; empty before the first reply
	silent bool   // a reply had no usage
}

// source is what the next run is to take. A simulated engine's tokens are what
// both sides count.
func (w *whose) source(asked metric.TokenSource, f Facts) metric.TokenSource {
	if f.Simulated || w.silent && asked == metric.TokensAuto {
		return metric.TokensClient
	}
	return asked
}

// note takes what a run came to; turned says that earlier runs were of the
// server's counts and this one is not.
func (w *whose) note(s metric.TokenSource, valid int) (turned bool) {
	if valid == 0 {
		return false
	}
	turned = w.name == metric.TokensServer.String() && s == metric.TokensClient
	w.name, w.silent = s.String(), s == metric.TokensClient
	return turned
}
