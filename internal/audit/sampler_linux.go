package audit

import (
	"os"
	"syscall"
	"time"

	"headway/record"
)

// glance is the state of the machine at an instant.
type glance struct {
	at        time.Time
	process   time.Duration // processor time
	host      hostCPU
	tcp       segments
	throttled int64 // nanoseconds
}

// sampler makes an AuditMachine of what the system says at the beginning, once
// a second, and at the end. Its methods are called one after the other.
type sampler struct {
	first, last glance
	machine     record.AuditMachine
}

func (s *sampler) begin() {
	s.first = look()
	s.last = s.first
	s.machine = record.AuditMachine{Files: openFiles(), FileLimit: fileLimit()}
}

// look is called about once a second: it keeps the peaks.
func (s *sampler) look() {
	now := look()
	s.peak(s.last, now)
	s.last = now
	s.machine.Files = max(s.machine.Files, openFiles())
}

// end gives what was found.
func (s *sampler) end() *record.AuditMachine {
	now := look()
	m := &s.machine
	m.Process, m.Host, m.Stolen = between(s.first, now)
	// A short rest says little of a second.
	if now.at.Sub(s.last.at) >= period/2 || s.last.at.Equal(s.first.at) {
		s.peak(s.last, now)
	}
	m.Files = max(m.Files, openFiles())
	m.Retransmits, m.Segments = max(0, now.tcp.again-s.first.tcp.again), max(0, now.tcp.out-s.first.tcp.out)
	m.Throttled = time.Duration(max(0, now.throttled-s.first.throttled)).Seconds()
	return m
}

func (s *sampler) peak(a, b glance) {
	process, host, stolen := between(a, b)
	m := &s.machine
	m.ProcessPeak, m.HostPeak, m.StolenPeak = max(m.ProcessPeak, process), max(m.HostPeak, host),
		max(m.StolenPeak, stolen)
}

// between gives the processors that this process used, and the shares of all
// that were in use and stolen. Ticks are a hundredth of a second, so that the
// shares of a short time are coarse.
func between(a, b glance) (process, host, stolen float64) {
	if wall := b.at.Sub(a.at); wall > 0 {
		process = (b.process - a.process).Seconds() / wall.Seconds()
	}
	if all := b.host.all - a.host.all; all > 0 {
		host = min(1, max(0, 1-float64(b.host.idle-a.host.idle)/float64(all)))
		stolen = min(1, max(0, float64(b.host.stolen-a.host.stolen)/float64(all)))
	}
	return process, host, stolen
}

// look reads what there is. What a sandbox hides stays 0 and so does every
// difference of it.
func look() glance {
	g := glance{at: time.Now()}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		g.process = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	if text, err := os.ReadFile("/proc/stat"); err == nil {
		g.host, _ = parseStat(string(text)) // unknown is 0
	}
	if text, err := os.ReadFile("/proc/self/net/snmp"); err == nil {
		g.tcp, _ = parseSNMP(string(text))
	}
	for _, path := range []string{"/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat"} {
		if text, err := os.ReadFile(path); err == nil {
			g.throttled = parseThrottled(string(text))
			break
		}
	}
	return g
}

// openFiles is how many descriptors this process has. Since Linux 6.2 the
// folder's size says so; before, they are counted.
func openFiles() int {
	if s, err := os.Stat("/proc/self/fd"); err == nil && s.Size() > 0 {
		return int(s.Size())
	}
	f, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // only read
	names, err := f.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return len(names) - 1 // without the one that reads them
}

func fileLimit() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil || l.Cur > 1<<31 {
		return 0
	}
	return int(l.Cur)
}
