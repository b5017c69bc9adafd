package audit

import (
	"sync"
	"time"

	"headway/record"
)

// probePeriod is the time between two events of the probe: a hundred a second
// cost less than a hundredth of a processor and give a 99th percentile within
// seconds.
const probePeriod = 10 * time.Millisecond

// probe measures how late this program notices an event from outside, where
// nobody stamps what arrives: a timer fires at known times, and the clock is
// read by the goroutine that waits for it. In between lies what lies between a
// packet and a goroutine that reads it: the poller, the scheduler, a processor.
//
// The times are absolute, and an event that was slept through counts with its
// own delay. A program that sent events to itself would send none while it has
// no processor, which is when they would have been late.
type probe struct {
	timer clock
	wg    sync.WaitGroup
	cells map[time.Duration]int64 // the goroutine's until wg is done
}

// clock is a periodic timer of the system.
type clock interface {
	// wait returns how many periods have ended since it last returned, and
	// how long ago the last of them did; false after stop.
	wait() (ended int64, ago time.Duration, ok bool)
	stop()
}

// startProbe is nil where the system gives no timer; the audit then does
// without.
func startProbe() *probe {
	c, err := newClock(probePeriod)
	if err != nil {
		return nil
	}
	p := &probe{timer: c, cells: map[time.Duration]int64{}}
	p.wg.Go(p.run)
	return p
}

func (p *probe) run() {
	for {
		n, ago, ok := p.timer.wait()
		if !ok {
			return
		}
		for ; n > 0; n-- {
			p.cells[threeDigits(ago)]++
			ago += probePeriod
		}
	}
}

// end stops the probe and gives what it found; nil where that is nothing.
func (p *probe) end() *record.AuditSpread {
	if p == nil {
		return nil
	}
	p.timer.stop()
	p.wg.Wait()
	return spreadOf(p.cells)
}

// threeDigits rounds up to a microsecond or to three digits.
func threeDigits(d time.Duration) time.Duration {
	unit := time.Microsecond
	for d > 1000*unit {
		unit *= 10
	}
	return (max(0, d) + unit - 1) / unit * unit
}
