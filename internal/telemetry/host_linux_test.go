package telemetry

import (
	"os"
	"testing"
)

// This host's page is one of node exporter's, without loopback.
func TestHostPage(t *testing.T) {
	files := map[string]string{
		"/proc/stat":    "cpu  100 0 200 600 100 0 0 0 50 0\ncpu0 1 2 3 4 5 6 7 8\nintr 5\n",
		"/proc/meminfo": "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    250 kB\n",
		"/proc/net/dev": "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n" +
			"    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  eth0: 70 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n" +
			"ib0:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n",
	}
	page, err := hostPage(func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := parse(page)
	if err != nil {
		t.Fatal(err)
	}
	got := map[Quantity]float64{}
	for _, s := range samples {
		got[s.Quantity] += s.Value
	}
	for q, want := range map[Quantity]float64{CPUTime: 10, CPUIdle: 7, MemoryTotal: 1024000, MemoryAvailable: 256000,
		NetworkReceived: 75, NetworkSent: 36} {
		if got[q] != want {
			t.Errorf("%s is %g, not %g", q, got[q], want)
		}
	}
	if _, err := hostPage(func(string) ([]byte, error) { return nil, os.ErrPermission }); err == nil {
		t.Error("no error without /proc")
	}
}
