package telemetry

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ThisHost is the host that the load comes from, in the words of node exporter.
func ThisHost() (Source, bool) {
	if _, err := os.Stat("/proc/stat"); err != nil {
		return Source{}, false
	}
	return Source{Name: "this host", Paths: []string{"/proc"},
		Fetch: func(context.Context, string, int64) ([]byte, error) { return hostPage(os.ReadFile) }}, true
}

// userHZ is the unit of /proc/stat in ticks per second, the same on all architectures
// of Linux (proc_stat(5)).
const userHZ = 100

// hostPage is a page of metrics of this host. What cannot be read is left out.
func hostPage(read func(string) ([]byte, error)) ([]byte, error) {
	var page []byte
	for _, part := range []struct {
		path string
		add  func(page []byte, f []string) []byte
	}{{"/proc/stat", cpuLine}, {"/proc/meminfo", memoryLine}, {"/proc/net/dev", networkLine}} {
		text, err := read(part.path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			page = part.add(page, strings.Fields(strings.Replace(line, ":", " ", 1)))
		}
	}
	if page == nil {
		return nil, fmt.Errorf("nothing can be read below /proc")
	}
	return page, nil
}

// cpuModes are the columns of /proc/stat that are not inside another.
var cpuModes = []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}

func cpuLine(page []byte, f []string) []byte {
	if len(f) < 5 || f[0] != "cpu" {
		return page
	}
	for i, v := range f[1:min(len(f), 1+len(cpuModes))] {
		if ticks, err := strconv.ParseFloat(v, 64); err == nil {
			page = fmt.Appendf(page, "node_cpu_seconds_total{mode=%q} %g\n", cpuModes[i], ticks/userHZ)
		}
	}
	return page
}

func memoryLine(page []byte, f []string) []byte {
	if len(f) == 3 && f[2] == "kB" && (f[0] == "MemTotal" || f[0] == "MemAvailable") {
		if kb, err := strconv.ParseFloat(f[1], 64); err == nil {
			page = fmt.Appendf(page, "node_memory_%s_bytes %g\n", f[0], kb*1024)
		}
	}
	return page
}

func networkLine(page []byte, f []string) []byte {
	if len(f) < 10 || f[0] == "face" || strings.Contains(f[0], "|") {
		return page
	}
	page = fmt.Appendf(page, "node_network_receive_bytes_total{device=%q} %s\n", f[0], f[1])
	return fmt.Appendf(page, "node_network_transmit_bytes_total{device=%q} %s\n", f[0], f[9])
}
