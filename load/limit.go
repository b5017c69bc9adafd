package load

import (
	"context"
	"time"
)

// limit is a counting semaphore whose size may grow from 1 over time. A nil
// limit lets everything through.
type limit struct{ free chan struct{} }

func newLimit(n int) *limit {
	if n <= 0 {
		return nil
	}
	return &limit{free: make(chan struct{}, n)}
}

// ramp opens the places: all at once, or evenly over d from one.
func (l *limit) ramp(stop context.Context, d time.Duration, begin time.Time) {
	if l == nil {
		return
	}
	n := cap(l.free)
	l.free <- struct{}{}
	if d <= 0 {
		for range n - 1 {
			l.free <- struct{}{}
		}
		return
	}
	go func() {
		for i := 1; i < n; i++ {
			if !waitTimer(stop, begin.Add(d*time.Duration(i)/time.Duration(n-1))) {
				return
			}
			l.free <- struct{}{}
		}
	}()
}

// take waits for a place and reports false when stop ended first.
func (l *limit) take(stop context.Context) bool {
	if stop.Err() != nil {
		return false
	}
	if l == nil {
		return true
	}
	select {
	case <-l.free:
		return true
	case <-stop.Done():
		return false
	}
}

// give returns a place.
func (l *limit) give() {
	if l != nil {
		l.free <- struct{}{}
	}
}
