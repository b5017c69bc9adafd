package audit

import (
	"fmt"
	"strconv"
	"strings"
)

// hostCPU is the first line of /proc/stat: ticks of all processors together
// since the start of the system, of which stolen are those that a hypervisor
// gave to others.
type hostCPU struct{ all, idle, stolen int64 }

// parseStat reads /proc/stat (proc_stat(5)). Guest time is inside user time
// and is not counted again.
func parseStat(text string) (hostCPU, error) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "cpu" {
			continue
		}
		n, err := numbers(f[1:])
		if err != nil || len(n) < 5 {
			return hostCPU{}, fmt.Errorf("/proc/stat: no counts of processor time in %q", line)
		}
		var c hostCPU
		for i, v := range n[:min(8, len(n))] {
			c.all += v
			switch i {
			case 3, 4: // idle, and idle waiting for a disk
				c.idle += v
			case 7:
				c.stolen += v
			}
		}
		return c, nil
	}
	return hostCPU{}, fmt.Errorf("/proc/stat: no line of all processors")
}

// segments are TCP segments of a network namespace since it began.
type segments struct{ out, again int64 }

// parseSNMP reads the two lines of TCP in /proc/net/snmp: names, then values.
func parseSNMP(text string) (segments, error) {
	var names []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "Tcp:")
		switch {
		case !ok:
		case names == nil:
			names = strings.Fields(rest)
		default:
			var s segments
			found := 0
			for i, v := range strings.Fields(rest) {
				if i >= len(names) || names[i] != "OutSegs" && names[i] != "RetransSegs" {
					continue
				}
				n, err := strconv.ParseInt(v, 10, 64)
				if err != nil {
					return segments{}, fmt.Errorf("/proc/net/snmp: %s is %q", names[i], v)
				}
				if found++; names[i] == "OutSegs" {
					s.out = n
				} else {
					s.again = n
				}
			}
			if found == 2 {
				return s, nil
			}
		}
	}
	return segments{}, fmt.Errorf("/proc/net/snmp: no counts of TCP segments")
}

// parseThrottled reads the time in which a limit kept a control group from
// running, in nanoseconds, from its cpu.stat: of version 2 in microseconds, of
// version 1 in nanoseconds. 0 where there is no limit.
func parseThrottled(text string) int64 {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		switch {
		case err != nil || n < 0:
		case f[0] == "throttled_usec" && n < 1<<53:
			return 1000 * n
		case f[0] == "throttled_time":
			return n
		}
	}
	return 0
}

func numbers(fields []string) ([]int64, error) {
	var list []int64
	for _, f := range fields {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return nil, err
		}
		if n < 0 || n > 1<<56 {
			return nil, fmt.Errorf("%d", n)
		}
		list = append(list, n)
	}
	return list, nil
}
