package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"headway/internal/openai"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// noConnectFlags leave connecting to the requests.
type noConnectFlags struct {
	NoPreconnect bool `name:"no-preconnect" help:"Open no connections before the first request. Each request that opens one then has that time in its latency and TTFT."`
}

// ahead is what is opened where no number can be given.
func (f noConnectFlags) ahead() ahead { return ahead{auto: !f.NoPreconnect} }

// connectFlags say what is connected before the clock starts.
type connectFlags struct {
	Preconnect ahead `name:"preconnect" placeholder:"N" help:"Open N connections before the first request, so that no request has the time of connecting in it. Alone: one for each slot of --concurrency, or as many as the schedule is expected to need. Default: as if given alone, but not under the name aiperf. A failure to connect ends the run where the option is given."`

	noConnectFlags
}

// ahead is what to open: what was asked for, else as many as the load needs,
// where the verb does so.
func (f connectFlags) ahead(usual bool) ahead {
	switch {
	case f.NoPreconnect:
		return ahead{}
	case f.Preconnect.said:
		return f.Preconnect
	}
	return ahead{auto: usual}
}

// ahead is a number of connections, which need not be said.
type ahead struct {
	n    int
	auto bool // as many as the load needs
	said bool // by the option, so that failing to connect is a failure
}

// Decode reads --preconnect and --preconnect=N.
func (c *ahead) Decode(ctx *kong.DecodeContext) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		*c = ahead{auto: true, said: true}
		return nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	switch {
	case isTrue(text) && text != "1":
		*c = ahead{auto: true, said: true}
		return nil
	case isFalse(text):
		*c = ahead{said: true}
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of connections: give --preconnect alone, or --preconnect=64", text)
	}
	*c = ahead{n: n, said: true}
	return nil
}

// IsBool makes the value of the option one that need not be there.
func (ahead) IsBool() bool { return true }

// MarshalJSON writes the number, true, or null where nothing was said.
func (c ahead) MarshalJSON() ([]byte, error) {
	switch {
	case !c.said:
		return []byte("null"), nil
	case c.auto:
		return []byte("true"), nil
	}
	return json.Marshal(c.n)
}

// faults are those of the options.
func (f connectFlags) faults(bad *faultList) {
	if f.NoPreconnect && f.Preconnect.said {
		bad.add("--preconnect and --no-preconnect: give one of them")
	}
	bad.connections("preconnect", f.Preconnect.n)
}

const (
	// mostAhead bounds what a schedule has opened without being asked: a server
	// may mind thousands of idle connections, and those that are missing open
	// when they are needed.
	mostAhead = 4096
	// aheadWithin bounds what nobody asked to wait for.
	aheadWithin = 10 * time.Second
)

// connections is how many to open before a plan.
func (g *rig) connections(p workload.Plan) int {
	c := g.preconnect
	switch {
	case !c.auto:
		return c.n
	case !c.said && g.client.ConnectionReuse == openai.ReuseNever:
		return 0 // what was asked for is that requests connect
	}
	most := max(mostAhead, p.Concurrency)
	if limit, known := openFiles(); known {
		most = min(most, max(0, limit-spareFiles))
	}
	return p.Connections(most)
}

// connect is what a measurement does before its clock starts; nil where nothing
// is to be opened. Where the option was not given, what cannot be opened is left
// to the requests, which fail for it as they would have.
func (g *rig) connect(p workload.Plan) func(context.Context) (*record.Ahead, error) {
	n := g.connections(p)
	if n == 0 {
		return nil
	}
	return func(ctx context.Context) (*record.Ahead, error) {
		within := ctx
		if !g.preconnect.said {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, aheadWithin)
			defer cancel()
		}
		if err := g.target.Preconnect(within, n); err != nil && g.preconnect.said {
			return nil, fmt.Errorf("--preconnect: %w", err)
		}
		return opened(g.target.Opened()), nil
	}
}

// opened sums up how long connections took, in order; nil where there are none.
func opened(took []time.Duration) *record.Ahead {
	if len(took) == 0 {
		return nil
	}
	sorted := make([]float64, len(took))
	a := record.Ahead{Count: len(took)}
	for i, d := range took {
		sorted[i] = d.Seconds()
		a.Mean += sorted[i] / float64(len(took))
	}
	a.P50, a.P99, a.Max = metric.Percentile(sorted, 50), metric.Percentile(sorted, 99), metric.Percentile(sorted, 100)
	return &a
}
