package wire

import (
	"net"
	"time"
)

// Limits of what is believed of a kernel timestamp. The two clocks are the
// same clock read twice, so a stamp can lie ahead of the read only by a step
// or a slew in between; data does not wait an hour in a socket, but a clock
// that was wrong at boot is set by more than that.
const (
	maxAhead = time.Millisecond
	maxLag   = time.Hour
)

// Stamp is when data arrived.
type Stamp struct {
	// At is the time of arrival. It carries a monotonic reading, so
	// differences between stamps of one process are immune to clock steps
	// (but for data that lay in the socket while the clock was stepped).
	At time.Time
	// Kernel is true when At is the kernel's receive time, and false when it
	// is the clock right after the read, which may be late by any amount.
	Kernel bool
	// Lag is how long the data lay in the kernel before it was read; 0 when
	// that is not known, that is when Kernel is false.
	Lag time.Duration
}

// kernelStamp turns a kernel timestamp, in nanoseconds of CLOCK_REALTIME, into
// a Stamp; now is the clock right after the read.
//
// The realtime difference is taken off now, which carries both clocks, at
// every read. An offset between the clocks measured once would be cheaper and
// wrong from the first correction of the realtime clock onwards.
func kernelStamp(now time.Time, realtime int64) Stamp {
	lag := time.Duration(now.UnixNano() - realtime)
	if lag < -maxAhead || lag > maxLag {
		return Stamp{At: now}
	}
	lag = max(lag, 0)
	return Stamp{At: now.Add(-lag), Kernel: true, Lag: lag}
}

// notBefore is s, or the time of the read before where s lies before that.
// Data arrives in order, but the conversion in kernelStamp wavers by some ten
// nanoseconds, so that two reads of one packet could seem to go back; and a
// clock stamp, late as it may be, can lie behind the kernel's stamp of the
// next packet, which then is no longer a kernel time either.
func (s Stamp) notBefore(last Stamp) Stamp {
	back := last.At.Sub(s.At)
	switch {
	case back <= 0:
		return s
	case last.Kernel:
		return Stamp{At: last.At, Kernel: s.Kernel, Lag: max(s.Lag-back, 0)}
	}
	return Stamp{At: last.At}
}

// clockReader stamps with the clock right after the read.
type clockReader struct{ c net.Conn }

func (r clockReader) read(p []byte) (int, Stamp, error) {
	n, err := r.c.Read(p)
	return n, Stamp{At: time.Now()}, err
}
