package engine

import "time"

// Link carries bytes for whoever shares it, one transfer after the other in the order in
// which they are asked for. Its users have to be stepped in order of time. The zero value
// is an idle one; it is not safe for concurrent use.
type Link struct {
	free time.Duration // when it has carried all that it was asked for
	busy time.Duration
}

// Busy is how long the link carried something, or is asked to.
func (l *Link) Busy() time.Duration { return l.busy }

// carry takes a transfer of so long that is asked for at a time, and returns its end.
func (l *Link) carry(at, span time.Duration) time.Duration {
	l.free = later(max(l.free, at), span)
	l.busy = later(l.busy, span)
	return l.free
}
