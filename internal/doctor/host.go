package doctor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"headway/internal/audit"
	"headway/internal/wire"
)

// lookAt is how long the host is looked at.
const lookAt = time.Second

// host is this machine as a client.
type host struct {
	facts audit.Host
	known *audit.Calibration
}

// OfHost is the machine this runs on. known is what it was found to carry, nil where
// nobody has measured it.
func OfHost(known *audit.Calibration) Subject {
	h := &host{known: known}
	return Subject{Title: "this host, as a client", Checks: []Check{
		{Name: "processors", Run: h.processors}, // looks, for those that follow
		{Name: "load", Run: h.of(load)},
		{Name: "steal", Run: h.of(steal)},
		{Name: "open files", Run: h.of(openFiles)},
		{Name: "ports", Run: h.of(ports)},
		{Name: "clock source", Run: h.of(clockSource)},
		{Name: "clock set", Run: h.of(clockSet)},
		{Name: "arrival stamps", Run: stamps},
		{Name: "calibration", Run: h.calibration},
	}}
}

// of is a check of the facts.
func (h *host) of(judge func(audit.Host) Finding) func(context.Context) Finding {
	return func(context.Context) Finding { return judge(h.facts) }
}

func (h *host) processors(ctx context.Context) Finding {
	h.facts = audit.LookAtHost(ctx, lookAt)
	return processors(h.facts)
}

func processors(f audit.Host) Finding {
	seen := fmt.Sprintf("%d, of which the program uses %d", f.Processors, f.Used)
	if f.Quota > 0 {
		seen += fmt.Sprintf("; the control group may use %.3g", f.Quota)
	}
	do := "Reading and counting share it with everything else: measure from a host or a pod with two and more."
	if f.Processors == 1 || f.Used == 1 || f.Quota > 0 && f.Quota < 2 {
		return warn(seen, do)
	}
	if f.Throttled > 0 {
		return warn(fmt.Sprintf("%s, and held this process up for %v", seen, f.Throttled.Round(time.Millisecond)),
			"Raise the limit of processors (limits.cpu of the pod).")
	}
	return ok(seen)
}

// busyShare is the use of the processors by others from which on a client is
// disturbed, stolenShare what a hypervisor may take.
const (
	busyShare   = 0.5
	stolenShare = 0.02
)

func load(f audit.Host) Finding {
	seen := fmt.Sprintf("%.0f %% of all processors were in use for a second", 100*f.Busy)
	if f.Busy > busyShare {
		return warn(seen, "Other programs take processors from the client: end them, or measure from another host.")
	}
	return ok(seen)
}

func steal(f audit.Host) Finding {
	seen := fmt.Sprintf("the hypervisor took %.1f %%", 100*f.Stolen)
	if f.Stolen > stolenShare {
		return warn(seen, "This virtual machine waits for its processors, which no timestamp shows: use one with "+
			"processors of its own.")
	}
	return ok(seen)
}

// fewFiles and fewPorts are how many are little for a load.
const (
	fewFiles = 4096
	fewPorts = 16384
)

func openFiles(f audit.Host) Finding {
	if f.MostFiles == 0 {
		return skipped("this system is not asked")
	}
	seen := fmt.Sprintf("%d may be open", f.Files)
	if f.MostFiles > f.Files {
		seen += fmt.Sprintf(", and up to %d, to which headway raises it", f.MostFiles)
	}
	if f.MostFiles < fewFiles {
		return warn(seen, "A connection is a file: raise the hard limit (ulimit -Hn, /etc/security/limits.conf, "+
			"LimitNOFILE of systemd, --ulimit nofile of docker).")
	}
	return ok(seen)
}

func ports(f audit.Host) Finding {
	if f.LastPort == 0 {
		return skipped("this system is not asked")
	}
	n := f.LastPort - f.FirstPort + 1
	seen := fmt.Sprintf("%d local ports for each address of a server, %d sockets are closing", n, f.Closing)
	if n < fewPorts || 2*f.Closing > n {
		return warn(seen, "One address takes as many connections from here as there are ports, and a closed one holds "+
			"its port for a minute: widen net.ipv4.ip_local_port_range, keep connections "+
			"(--connection-reuse-strategy pooled), or add --source-address.")
	}
	return ok(seen)
}

// slowClocks are clock sources that cost a system call, and steps of microseconds.
var slowClocks = []string{"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"}

func clockSource(f audit.Host) Finding {
	switch {
	case f.Clock == "":
		return skipped("this system does not tell")
	case slices.Contains(slowClocks, f.Clock):
		return warn(f.Clock, "Reading it is slow and coarse: look why the kernel does not take tsc (dmesg), or use "+
			"another host.")
	}
	return ok(f.Clock)
}

func clockSet(f audit.Host) Finding {
	switch {
	case !f.ClockKnown:
		return skipped("this system does not tell")
	case !f.Synchronized:
		return warn("the kernel's time follows no reference", "Latencies are not affected. Times in results and logs "+
			"of other hosts cannot be laid side by side: run chrony or another NTP client. In a container the host's "+
			"may run all the same.")
	}
	return ok("the kernel's time follows a reference")
}

// stamps looks whether the kernel tells when data arrived.
func stamps(ctx context.Context) Finding {
	kernel, err := stamped(ctx)
	switch {
	case err != nil:
		return warn("a connection with itself failed: "+err.Error(), "Look at what forbids connections on 127.0.0.1.")
	case !kernel:
		return warn("the kernel gives no receive times", "A time is taken when the program reads, so that a busy "+
			"client "+
			"moves latencies: measure from Linux on amd64 or arm64, and with load to spare.")
	}
	return ok("the kernel stamps what arrives")
}

// stamped sends a byte over a connection of this process with itself.
func stamped(ctx context.Context) (kernel bool, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return false, err
	}
	defer func() { _ = l.Close() }() // nobody else knows it
	c, err := (&wire.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }() // all was read
	if limit, has := ctx.Deadline(); has {
		if err := c.SetDeadline(limit); err != nil {
			return false, err
		}
	}
	peer, err := l.Accept()
	if err != nil {
		return false, err
	}
	defer func() { _ = peer.Close() }() // all was sent
	if _, err := peer.Write([]byte{0}); err != nil {
		return false, err
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return false, err
	}
	return wire.Of(c).Stamp().Kernel, nil
}

func (h *host) calibration(context.Context) Finding {
	if h.known == nil {
		return Finding{OK, "nobody has measured what this host can carry", "headway calibrate takes a minute; later " +
			"runs then say when their load came near it."}
	}
	return ok(fmt.Sprintf("this host carries %.0f chunks/s, or %.0f requests/s", h.known.EventsPerSecond,
		h.known.RequestsPerSecond))
}
