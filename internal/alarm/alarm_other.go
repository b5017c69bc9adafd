//go:build !linux

package alarm

import "time"

// Alarm is the runtime's own sleep where no finer one is known.
type Alarm struct{}

// New makes an alarm.
func New() *Alarm { return &Alarm{} }

// Close does nothing.
func (*Alarm) Close() {}

// Sleep returns after d.
func (*Alarm) Sleep(d time.Duration) { time.Sleep(d) }
