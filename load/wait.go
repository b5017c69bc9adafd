package load

import (
	"context"
	"time"
)

// coarse is how late a timer of the Go runtime can be on an idle machine: its
// poller sleeps in whole milliseconds. The last part of a wait is therefore
// slept on an alarm.
const coarse = 1200 * time.Microsecond

// waitUntil sleeps until an instant and reports false when ctx ended first.
func (a *alarm) waitUntil(ctx context.Context, until time.Time) bool {
	if d := time.Until(until) - coarse; d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return false
		}
	}
	for d := time.Until(until); d > 0; d = time.Until(until) {
		a.sleep(d)
	}
	return ctx.Err() == nil
}

// waitTimer is waitUntil without its fine part, for waits of which many run at
// once: each fine sleep holds a thread.
func waitTimer(ctx context.Context, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
