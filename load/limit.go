package load

import (
	"context"
	"time"

	"headway/workload"
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

// ramp opens the places: all at once, or one after the other over d.
func (l *limit) ramp(stop context.Context, d time.Duration, of workload.Places, begin time.Time) {
	if l == nil {
		return
	}
	n, i := cap(l.free), 0
	for ; i < n && of.Opens(i, n, d) == 0; i++ {
		l.free <- struct{}{}
	}
	if i == n {
		return
	}
	go func() {
		for ; i < n; i++ {
			if !waitTimer(stop, begin.Add(of.Opens(i, n, d))) {
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
