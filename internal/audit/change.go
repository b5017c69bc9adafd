package audit

import (
	"fmt"

	"headway/record"
)

// Above these a figure of the machine is named as a cause.
const (
	fullHost    = 0.90 // of all processors, in the busiest second
	fullProcess = 0.85 // of the processors that the program may use
	stolenMuch  = 0.02 // of all processors
)

// takeFaster is what makes Records pile up no more.
const takeFaster = "lower the load, write to a faster disk, let the server count (--use-server-token-count), or " +
	"give this program more processors"

// change says what to do about a client that was late, from what is known of
// the cause. timed says that sends are late, which a limit on requests in
// flight makes them, too.
func change(a *record.Audit, timed bool) string {
	if timed && a.Load.Asked > 0 && a.Load.Peak >= a.Load.Asked {
		return fmt.Sprintf("all of the %d places that --concurrency allows were taken, so requests waited for a "+
			"free one: raise it, or lower the rate", a.Load.Asked)
	}
	if b := a.Backlog; timed && b != nil && b.HeldRequests > 0 {
		return "sending was held back for " + length(b.Held) +
			", since finished requests had filled the memory that they may take: " + takeFaster
	}
	if m := a.Machine; m != nil {
		switch {
		// A hypervisor takes time only from processors that want it. Of a machine
		// that its own work fills anyway some is taken on any shared host.
		case m.StolenPeak > stolenMuch && m.HostPeak-m.StolenPeak <= fullHost:
			return fmt.Sprintf("the hypervisor gave up to %s of this machine's time to others: take a machine that "+
				"has its processors to itself", percent(m.StolenPeak))
		case m.Throttled > a.Limit:
			return fmt.Sprintf("a limit of the control group stopped this process for %s: raise the container's "+
				"limit of CPU", length(m.Throttled))
		case m.ProcessPeak > fullProcess*float64(a.Runtime.Processors):
			return fmt.Sprintf("this process used %.2f of the %d processors that it may use: lower the load, give "+
				"it more processors (GOMAXPROCS), or split the load over several machines",
				m.ProcessPeak, a.Runtime.Processors)
		case m.HostPeak > fullHost:
			return fmt.Sprintf("the machine was busy to %s, this process with %.2f processors of it: stop what else "+
				"runs there, the server included, or move the client to a machine of its own",
				percent(m.HostPeak), m.ProcessPeak)
		}
	}
	switch {
	case a.Runtime.PauseMax > a.Limit:
		return fmt.Sprintf("collecting garbage stopped this program for up to %s: lower the load, or give it a "+
			"larger GOGC", length(a.Runtime.PauseMax))
	case a.Runtime.WaitP99 > a.Limit/2:
		return fmt.Sprintf("work in this program waited up to %s for a processor (99th percentile): lower the load, "+
			"or give it more processors", length(a.Runtime.WaitP99))
	case timed:
		return "lower the rate, use a machine with nothing else to do, or allow more with --max-lag where such a " +
			"delay does not matter"
	}
	return "lower the load, or use a machine with nothing else to do"
}
