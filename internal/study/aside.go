package study

import (
	"runtime"
	"sync"
)

// processors is held while their number is changed: it is one of the whole
// program, and runs on several engines may begin and end at the same time.
var processors sync.Mutex

// spare gives the scheduler of the Go runtime one processor more until the
// function that it returns is called.
//
// Tokens are counted, figures made and files written while requests are in
// flight, on one goroutine whose thread has a lower priority (see aside). With
// as many processors as there are cores that goroutine would hold one of them:
// one that a reply has just made ready would wait up to 10 ms until it is taken
// away, on one core for every reply. With one more both have theirs, and which
// of the two runs is up to the kernel, which knows their priorities.
func spare() (back func()) {
	change := func(by int) {
		processors.Lock()
		defer processors.Unlock()
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + by)
	}
	change(1)
	return func() { change(-1) }
}
