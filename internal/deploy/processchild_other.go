//go:build !unix

package deploy

import (
	"errors"
	"os"
	"time"
)

// child does not exist on this system: engines are stopped by process group.
type child struct {
	pid    int
	exited chan struct{}
}

var errNoGroups = errors.New("starting engines as processes needs a Unix system")

func startChild(_, _ []string, _ string, _ *os.File) (*child, error) { return nil, errNoGroups }
func (*child) running() bool                                         { return false }
func (*child) ending() string                                        { return "" }
func (*child) killed() bool                                          { return false }
func (*child) stop(time.Duration) error                              { return nil }
func removeProcess(Entry, time.Duration) (bool, error)               { return false, errNoGroups }

func members(int, string) []int       { return nil }
func valuesOf(string, []int) []string { return nil }
