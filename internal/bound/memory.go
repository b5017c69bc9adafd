package bound

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// Memory is how many bytes this process may use: the least of the machine's
// memory and the limits of the control groups that it is in (v1 and v2), those
// above its own included. Where the system says nothing it is 4 GiB.
func Memory() Bytes { return memory() }

// Waiting is how much of a budget finished requests may take that wait to be
// counted and written: half, and a gigabyte at most. Budget 0 is half of Memory.
func Waiting(budget Bytes) Bytes {
	if budget == 0 {
		budget = max(Memory()/2, 128*MiB)
	}
	return min(budget/2, GiB)
}

// assumed stands in where the system says nothing.
const assumed = 4 * GiB

var memory = sync.OnceValue(func() Bytes { return memoryOf(os.DirFS("/")) })

// Heed makes the garbage collector keep below nine tenths of Memory, where
// GOMEMLIMIT says nothing: a container is killed at its limit, and the usual
// collector lets a heap grow to twice what is used before it looks.
func Heed() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(Memory() / 10 * 9))
	}
}

// memoryOf reads the limits below the root of a file system.
func memoryOf(root fs.FS) Bytes {
	least := Bytes(math.MaxInt64)
	for _, limit := range append(groupLimits(root), machine(root)) {
		if limit > 0 {
			least = min(least, limit)
		}
	}
	if least == math.MaxInt64 {
		return assumed
	}
	return least
}

// machine is MemTotal of /proc/meminfo, 0 where there is none.
func machine(root fs.FS) Bytes {
	text, _ := fs.ReadFile(root, "proc/meminfo")
	for line := range bytes.Lines(text) {
		if f := strings.Fields(string(line)); len(f) >= 2 && f[0] == "MemTotal:" {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil && n < math.MaxInt64>>10 {
				return Bytes(n) << 10
			}
		}
	}
	return 0
}

// groupLimits are the limits of the control groups of this process. Inside a
// container the group's path may be that of the host, which is not mounted
// there: the limits at the mount's root are the container's then.
func groupLimits(root fs.FS) []Bytes {
	text, _ := fs.ReadFile(root, "proc/self/cgroup")
	limits := []Bytes{limit(root, "sys/fs/cgroup/memory.max"),
		limit(root, "sys/fs/cgroup/memory/memory.limit_in_bytes")}
	for line := range bytes.Lines(text) {
		part := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(part) != 3 {
			continue
		}
		mount, file := "sys/fs/cgroup", "memory.max"
		if part[1] != "" {
			if !strings.Contains(","+part[1]+",", ",memory,") {
				continue
			}
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		for at := path.Clean("/" + part[2]); at != "/"; at = path.Dir(at) {
			limits = append(limits, limit(root, mount+at+"/"+file))
		}
	}
	return limits
}

// limit reads a limit in bytes; 0 is none. "max" is no limit, and so is the
// number near 2^63 that v1 writes for it.
func limit(root fs.FS, name string) Bytes {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 || n > 1<<60 {
		return 0
	}
	return Bytes(n)
}
