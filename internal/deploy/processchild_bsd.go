//go:build unix && !linux

package deploy

import "syscall"

// ownGroup gives a child a process group.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// marksAreRead says whether processes are known by their environment.
const marksAreRead = false

// members is the leader's group as a whole, by the negative number that kill
// takes; environments cannot be looked at here.
func members(leader int, _ string) []int {
	if leader > 0 && syscall.Kill(-leader, 0) == nil {
		return []int{-leader}
	}
	return nil
}

// valuesOf are none: the environment of other processes is not read here.
func valuesOf(string, []int) []string { return nil }
