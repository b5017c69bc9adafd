package audit

import (
	"testing"
)

const (
	stat = "cpu  1007832 34260 558830 915525 16325 7 57256 1888 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n"
	snmp = "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoAlgorithm RtoMin RtoMax MaxConn OutSegs RetransSegs " +
		"InErrs\nTcp: 1 200 120000 -1 211452793 35753 0\n"
)

func TestParseProc(t *testing.T) {
	cpu, err := parseStat(stat)
	if want := (hostCPU{all: 1007832 + 34260 + 558830 + 915525 + 16325 + 7 + 57256 + 1888, idle: 915525 + 16325,
		stolen: 1888}); err != nil || cpu != want {
		t.Errorf("%+v, %v; want %+v", cpu, err, want)
	}
	tcp, err := parseSNMP(snmp)
	if want := (segments{out: 211452793, again: 35753}); err != nil || tcp != want {
		t.Errorf("%+v, %v; want %+v", tcp, err, want)
	}
	for text, want := range map[string]int64{
		"nr_periods 5\nnr_throttled 2\nthrottled_usec 1500\n": 1500_000,
		"nr_periods 5\nthrottled_time 1500\n":                 1500,
		"usage_usec 12\n":                                     0,
		"throttled_usec -5\n":                                 0,
		"":                                                    0,
	} {
		if got := parseThrottled(text); got != want {
			t.Errorf("%q: %d, not %d", text, got, want)
		}
	}
}

func TestParseProcFaults(t *testing.T) {
	for _, text := range []string{"", "cpu0 1 2 3 4 5\n", "cpu 1 2 3\n", "cpu 1 2 x 4 5\n", "cpu -1 2 3 4 5\n",
		"cpu 1 2 3 4 99999999999999999999\n"} {
		if c, err := parseStat(text); err == nil {
			t.Errorf("%q is read as %+v", text, c)
		}
	}
	for _, text := range []string{"", "Tcp: OutSegs RetransSegs\n", "Tcp: OutSegs\nTcp: 5\n",
		"Tcp: OutSegs RetransSegs\nTcp: 5 x\n", "Udp: OutSegs RetransSegs\nUdp: 1 2\n"} {
		if s, err := parseSNMP(text); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}

func FuzzProc(f *testing.F) {
	f.Add(stat)
	f.Add(snmp)
	f.Add("throttled_usec 9223372036854775807\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseStat(text); err == nil && (c.all < c.idle+c.stolen || c.idle < 0 || c.stolen < 0) {
			t.Errorf("%+v", c)
		}
		_, _ = parseSNMP(text) // must not panic
		if n := parseThrottled(text); n < 0 {
			t.Errorf("throttled for %d ns", n)
		}
	})
}
