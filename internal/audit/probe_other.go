//go:build !linux

package audit

import "time"

// ticks is a timer of the Go runtime, which adds its own delay: some ten
// microseconds on macOS, up to a millisecond on Windows.
type ticks struct {
	next   time.Time
	period time.Duration
	ended  chan struct{}
}

func newClock(period time.Duration) (clock, error) {
	return &ticks{next: time.Now().Add(period), period: period, ended: make(chan struct{})}, nil
}

func (t *ticks) wait() (ended int64, ago time.Duration, ok bool) {
	timer := time.NewTimer(time.Until(t.next))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.ended:
		return 0, 0, false
	}
	late := max(0, time.Since(t.next))
	ended = 1 + int64(late/t.period)
	t.next = t.next.Add(time.Duration(ended) * t.period)
	return ended, late % t.period, true
}

func (t *ticks) stop() { close(t.ended) }
