package router

import (
	"fmt"
	"strings"

	"headway/workload"
)

// Mode is a way to choose a worker.
type Mode uint8

const (
	// RoundRobin takes the workers in turn, from worker 0.
	RoundRobin Mode = iota
	// Random takes any worker, all equally likely.
	Random
	// LeastLoaded takes the worker with the fewest running requests.
	LeastLoaded
	// PowerOfTwo draws two different workers and takes the one with fewer
	// running requests, the first drawn where they are equal.
	PowerOfTwo
	// Direct takes the worker that the request names.
	Direct
	// KV takes the worker on which the request costs least; see [Cost].
	KV
)

var modeNames = [...]string{"round-robin", "random", "least-loaded", "power-of-two", "direct", "kv"}

// deviceAwareWeighted is the mode of Dynamo that weighs workers by their
// device.
const deviceAwareWeighted = "device-aware-weighted"

// String is the name that --router-mode takes.
func (m Mode) String() string { return nameOf(modeNames[:], int(m), "Mode") }

// ParseMode reads a name that Mode.String gives; an underscore equals a
// hyphen.
func ParseMode(s string) (Mode, error) {
	s = strings.ReplaceAll(s, "_", "-")
	if s == deviceAwareWeighted {
		return 0, fmt.Errorf("router-mode %q: %w; use one of %s", s, workload.ErrNotBuilt,
			strings.Join(modeNames[:], ", "))
	}
	i, err := indexOf(modeNames[:], s, "router-mode")
	return Mode(i), err
}

// MarshalText writes the name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the name, as ParseMode does.
func (m *Mode) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMode(string(b))
	return err
}

// QueuePolicy is the order in which waiting requests are released: the
// highest key first. A request's jump is its Priority in seconds.
type QueuePolicy uint8

const (
	// FCFS is first come, first served: key = jump − arrival. It serves the
	// tail of TTFT.
	FCFS QueuePolicy = iota
	// LCFS is last come, first served: key = jump + arrival. It is there to
	// be compared with.
	LCFS
	// WSPT is weighted shortest processing time: key = (1 + jump) / prompt
	// tokens. It serves the mean of TTFT.
	WSPT
)

var policyNames = [...]string{"fcfs", "lcfs", "wspt"}

// String is the name that --router-queue-policy takes.
func (p QueuePolicy) String() string { return nameOf(policyNames[:], int(p), "QueuePolicy") }

// ParseQueuePolicy reads a name that QueuePolicy.String gives.
func ParseQueuePolicy(s string) (QueuePolicy, error) {
	i, err := indexOf(policyNames[:], s, "router-queue-policy")
	return QueuePolicy(i), err
}

// MarshalText writes the name.
func (p QueuePolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the name, as ParseQueuePolicy does.
func (p *QueuePolicy) UnmarshalText(b []byte) (err error) {
	*p, err = ParseQueuePolicy(string(b))
	return err
}

func nameOf(names []string, i int, kind string) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}

func indexOf(names []string, s, option string) (int, error) {
	for i, name := range names {
		if name == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q: must be one of %s", option, s, strings.Join(names, ", "))
}
