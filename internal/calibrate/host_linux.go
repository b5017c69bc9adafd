package calibrate

import (
	"os"
	"strconv"
	"strings"
)

// tick is the unit of /proc/stat: USER_HZ is 100 on every system that Linux
// runs on.
const tick = 0.01

// hostSeconds is what all programs of this machine have used of its processors,
// what other machines took from it included; 0 where that is not known.
func hostSeconds() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return busySeconds(string(text))
}

// busySeconds adds up the first line of /proc/stat (proc(5)): all but idle and
// iowait, and guests, who are in user already.
func busySeconds(stat string) float64 {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0
	}
	busy := 0.0
	for i, f := range fields[1:9] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0
		}
		if i != 3 && i != 4 {
			busy += float64(n) * tick
		}
	}
	return busy
}
