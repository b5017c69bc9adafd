package study

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// niceness is by how much nicer than the others the thread is that counts and
// writes. It gets a tenth of a core that others want whole. Not 19, a seventieth:
// the runtime now and then waits for every thread to stop, and one that gets no
// time does not stop.
const niceness = 10

// aside moves the goroutine to a thread of its own with a lower priority. The
// goroutine never lets go of it, so that it ends with it: a priority can be
// lowered by anyone and not be raised again. Where the system does not allow
// it the work is done at the common priority.
func aside() {
	runtime.LockOSThread()
	// Of a program that was started with nice, ten alone could be a higher
	// priority than that of the threads that send.
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid()); err == nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nicer(20-p)) // not needed for a right result
	}
}

// nicer is the niceness of that thread where the program has so much. The
// system call counts the other way round.
func nicer(than int) int { return min(19, than+niceness) }
