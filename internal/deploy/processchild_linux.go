package deploy

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// ownGroup gives a child a process group, and SIGTERM should this process die.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// marksAreRead says whether processes are known by their environment.
const marksAreRead = true

// valuesOf are the values of a variable in the environments that processes were started
// with.
func valuesOf(name string, pids []int) (values []string) {
	for _, pid := range pids {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			continue // it has ended
		}
		for one := range bytes.SplitSeq(env, []byte{0}) {
			if value, is := bytes.CutPrefix(one, []byte(name+"=")); is {
				values = append(values, string(value))
			}
		}
	}
	return values
}

// members are the live processes of the leader's group and those with the
// marker in their environment; zombies, which nobody may take up in a
// container, do not count.
func members(leader int, marker string) []int {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	mark := []byte("\x00" + markerName + "=" + marker + "\x00")
	var pids []int
	for _, n := range names {
		pid, err := strconv.Atoi(n.Name())
		if err != nil {
			continue
		}
		fields, err := statFields(pid)
		if err != nil || fields[0][0] == 'Z' || fields[0][0] == 'X' {
			continue
		}
		const group = 5 - firstStat
		ours := leader > 0 && string(fields[group]) == strconv.Itoa(leader)
		if !ours {
			env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			ours = err == nil && bytes.Contains(slices.Concat([]byte{0}, env), mark)
		}
		if ours {
			pids = append(pids, pid)
		}
	}
	return pids
}
