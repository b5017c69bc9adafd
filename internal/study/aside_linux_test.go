package study

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"headway/record"
)

// prioritySink notes the niceness of the threads that it is called on.
type prioritySink struct {
	next record.Sink
	seen map[int]int
}

func (s prioritySink) Take(r *record.Record) error {
	p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		return err
	}
	s.seen[20-p]++ // the system call counts the other way round
	return s.next.Take(r)
}

// Counting and writing are done at a lower priority than sending and reading,
// and nothing of it is left when the run has ended.
func TestRecordsAreTakenAside(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		t.Fatal(err)
	}
	s := prioritySink{seen: map[int]int{}}
	m := measurement(&echo{}, t.TempDir(), 5, 2)
	m.Count = func(next record.Sink) record.Sink {
		s.next = next
		return s
	}
	rep, err := m.Run(t.Context())
	if err != nil || rep.Result.OK != 5 {
		t.Fatal(err)
	}
	if want := nicer(20 - own); len(s.seen) != 1 || s.seen[want] != 5 {
		t.Errorf("Records by niceness: %v, of a test at %d", s.seen, 20-own)
	}
	if now := runtime.GOMAXPROCS(0); now != before {
		t.Errorf("%d processors after the run, %d before", now, before)
	}
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid()); err != nil || p != own {
		t.Errorf("the caller's niceness is %d and was %d, %v", 20-p, 20-own, err)
	}
}
