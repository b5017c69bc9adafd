//go:build !linux

package load

import "time"

// alarm is the runtime's own sleep where no finer one is known.
type alarm struct{}

func newAlarm() *alarm { return &alarm{} }

func (*alarm) close() {}

func (*alarm) sleep(d time.Duration) { time.Sleep(d) }
