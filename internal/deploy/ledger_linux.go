package deploy

import (
	"bytes"
	"fmt"
	"os"
)

// processStart is when a process of this host started: the boot's id and field
// 22 of /proc/PID/stat (proc_pid_stat(5)), the ticks from boot to start. It is
// empty when there is no such process.
func processStart(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	fields, err := statFields(pid)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(boot)) + "/" + string(fields[22-firstStat])
}

// firstStat is the number of statFields' first field, in the man page's count.
const firstStat = 3

// statFields are the fields of /proc/PID/stat from the third, the state, on:
// the second, the name, is in parentheses and may hold anything.
func statFields(pid int) ([][]byte, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 22-firstStat+1 {
		return nil, fmt.Errorf("reading /proc/%d/stat: only %d fields", pid, len(fields))
	}
	return fields, nil
}
