package audit

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Host is what this machine has to offer a client. What could not be read is zero.
type Host struct {
	// Files and MostFiles are the soft and the hard limit of open files.
	Files, MostFiles int
	// FirstPort and LastPort bound the local ports of connections; Closing is how
	// many sockets are in TIME_WAIT.
	FirstPort, LastPort, Closing int
	// Processors are those of the machine that this process may run on, Used how
	// many of them the program uses at a time, Quota what its control group may use,
	// 0 for no limit.
	Processors, Used int
	Quota            float64
	// Busy and Stolen are shares of all processors, over the time that was looked;
	// Throttled is the time in which the quota kept this process from running.
	Busy, Stolen float64
	Throttled    time.Duration
	// Clock is the kernel's clock source ("tsc").
	Clock string
	// Synchronized says that the kernel's time follows a reference; ClockKnown that
	// this could be asked.
	Synchronized, ClockKnown bool
}

// LookAtHost looks at the machine for so long, or until ctx ends.
func LookAtHost(ctx context.Context, span time.Duration) Host {
	h := Host{Processors: runtime.NumCPU(), Used: runtime.GOMAXPROCS(0)}
	h.read()
	var s sampler
	s.begin()
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if m := s.end(); m != nil {
		h.Busy, h.Stolen = m.Host, m.Stolen
		h.Throttled = time.Duration(m.Throttled * float64(time.Second))
	}
	return h
}

// parsePorts reads ip_local_port_range: two numbers.
func parsePorts(text string) (first, last int) {
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0, 0
	}
	first, bad := strconv.Atoi(f[0])
	last, worse := strconv.Atoi(f[1])
	if bad != nil || worse != nil || first < 0 || last < first || last > 65535 {
		return 0, 0
	}
	return first, last
}

// parseClosing reads the sockets in TIME_WAIT of /proc/net/sockstat: "TCP: inuse 5
// orphan 0 tw 12 …".
func parseClosing(text string) int {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		for i := 1; i+1 < len(f) && f[0] == "TCP:"; i++ {
			if n, err := strconv.Atoi(f[i+1]); f[i] == "tw" && err == nil && n > 0 {
				return n
			}
		}
	}
	return 0
}

// parseQuota reads a control group's cpu.max: "200000 100000", or "max 100000" for
// none; in processors.
func parseQuota(text string) float64 {
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0
	}
	quota, err := strconv.ParseFloat(f[0], 64)
	period, worse := strconv.ParseFloat(f[1], 64)
	if err != nil || worse != nil || !(quota > 0) || !(period > 0) {
		return 0
	}
	return quota / period
}
