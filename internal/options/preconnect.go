package options

import (
	"encoding/json"
	"strconv"

	"headway/internal/fault"
	"headway/workload"
)

// NoConnect leaves connecting to the requests.
type NoConnect struct {
	NoPreconnect bool `name:"no-preconnect" help:"Open no connections before the first request. Each request that opens one then has that time in its latency and TTFT."`
}

// Ahead is what is opened where no number can be given.
func (f NoConnect) Ahead() Ahead { return Ahead{Auto: !f.NoPreconnect} }

// Connect says what is connected before the clock starts.
type Connect struct {
	Preconnect Ahead `name:"preconnect" placeholder:"N" help:"Open N connections before the first request, so that no request has the time of connecting in it. Alone: one for each slot of --concurrency, or as many as the schedule is expected to need. Default: as if given alone, but not under the name aiperf. A failure to connect ends the run where the option is given."`

	NoConnect
}

// Ahead is what to open: what was asked for, else as many as the load needs,
// where the verb does so.
func (f Connect) Ahead(usual bool) Ahead {
	switch {
	case f.NoPreconnect:
		return Ahead{}
	case f.Preconnect.Said:
		return f.Preconnect
	}
	return Ahead{Auto: usual}
}

// Ahead is a number of connections, which need not be said.
type Ahead struct {
	N    int
	Auto bool // as many as the load needs
	Said bool // by the option, so that failing to connect is a failure
}

// UnmarshalText reads the option's value: a number, true or false. Without one the
// option has the value true.
func (c *Ahead) UnmarshalText(b []byte) error {
	text := string(b)
	switch {
	case isTrue(text) && text != "1":
		*c = Ahead{Auto: true, Said: true}
		return nil
	case isFalse(text):
		*c = Ahead{Said: true}
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return fault.New("%q is not a number of connections: give %s alone, or %s=64", text, fault.Field("preconnect"),
			fault.Field("preconnect"))
	}
	*c = Ahead{N: n, Said: true}
	return nil
}

// MayFollow says whether an argument after the option is its value.
func (*Ahead) MayFollow(next string) bool {
	_, err := strconv.Atoi(next)
	return err == nil
}

// MarshalJSON writes the number, true, or null where nothing was said.
func (c Ahead) MarshalJSON() ([]byte, error) {
	switch {
	case !c.Said:
		return []byte("null"), nil
	case c.Auto:
		return []byte("true"), nil
	}
	return json.Marshal(c.N)
}

// Faults are those of the options.
func (f Connect) Faults(bad *fault.List) {
	if f.NoPreconnect && f.Preconnect.Said {
		bad.Add("%s and %s: give one of them", fault.Field("preconnect"), fault.Field("no-preconnect"))
	}
	Connections(bad, "preconnect", f.Preconnect.N)
}

// mostAhead bounds what a schedule has opened without being asked: a server may
// mind thousands of idle connections, and those that are missing open when they
// are needed.
const mostAhead = 4096

// Connections is how many to open before a plan. never says that requests are
// not to find a connection open.
func (c Ahead) Connections(p workload.Plan, never bool) int {
	switch {
	case !c.Auto:
		return c.N
	case !c.Said && never:
		return 0 // what was asked for is that requests connect
	}
	most := max(mostAhead, p.Concurrency)
	if limit, known := openFiles(); known {
		most = min(most, max(0, limit-spareFiles))
	}
	return p.Connections(most)
}
