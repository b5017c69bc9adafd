package audit

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// read fills in what the kernel's files and calls say.
func (h *Host) read() {
	text := func(paths ...string) string {
		for _, path := range paths {
			if b, err := os.ReadFile(path); err == nil {
				return string(b)
			}
		}
		return "" // a sandbox hides it
	}
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		h.Files, h.MostFiles = int(min(l.Cur, 1<<31-1)), int(min(l.Max, 1<<31-1))
	}
	h.FirstPort, h.LastPort = parsePorts(text("/proc/sys/net/ipv4/ip_local_port_range"))
	h.Closing = parseClosing(text("/proc/self/net/sockstat"))
	h.Quota = parseQuota(text("/sys/fs/cgroup/cpu.max"))
	if h.Quota == 0 {
		h.Quota = parseQuota(text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") + " " +
			text("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))
	}
	h.Clock = strings.TrimSpace(text("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
	var x unix.Timex
	if state, err := unix.Adjtimex(&x); err == nil {
		h.ClockKnown, h.Synchronized = true, state != unix.TIME_ERROR && x.Status&unix.STA_UNSYNC == 0
	}
}
