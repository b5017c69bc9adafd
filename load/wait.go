package load

import (
	"context"
	"time"

	"headway/internal/alarm"
)

// waitUntil sleeps until an instant and reports false when ctx ended first. The
// last part of the wait is slept on an alarm.
func waitUntil(ctx context.Context, a *alarm.Alarm, until time.Time) bool {
	if d := time.Until(until) - alarm.Coarse; d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return false
		}
	}
	for d := time.Until(until); d > 0; d = time.Until(until) {
		a.Sleep(d)
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
