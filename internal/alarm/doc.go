// Package alarm sleeps for short times, more exactly than the Go runtime's
// timers do and without holding a thread. It refuses to be woken: who waits for
// something else, too, waits with a timer until Coarse before the instant.
package alarm

import "time"

// Coarse is how late a timer of the Go runtime can be on an idle machine: its
// poller sleeps in whole milliseconds.
const Coarse = 1200 * time.Microsecond
