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
)

// connectFlags say what is connected before the clock starts.
type connectFlags struct {
	Preconnect ahead `name:"preconnect" placeholder:"N" help:"Open N connections before the first request, so that no request has the time of connecting in it; how long they took is said beside. Alone: as many as --concurrency."`
}

// ahead is a number of connections, which need not be said.
type ahead struct {
	n    int
	auto bool // as many as the concurrency
}

// Decode reads --preconnect and --preconnect=N.
func (c *ahead) Decode(ctx *kong.DecodeContext) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		*c = ahead{auto: true}
		return nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	switch {
	case isTrue(text) && text != "1":
		*c = ahead{auto: true}
		return nil
	case isFalse(text):
		*c = ahead{}
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of connections: give --preconnect alone, or --preconnect=64", text)
	}
	*c = ahead{n: n}
	return nil
}

// IsBool makes the value of the option one that need not be there.
func (ahead) IsBool() bool { return true }

// MarshalJSON writes the number, or true.
func (c ahead) MarshalJSON() ([]byte, error) {
	if c.auto {
		return []byte("true"), nil
	}
	return json.Marshal(c.n)
}

// number is how many connections are asked for beside a load of so many
// sessions.
func (c ahead) number(concurrency int) int {
	if c.auto {
		return concurrency
	}
	return c.n
}

// faults are those of the option beside a load.
func (c connectFlags) faults(bad *faultList, concurrency int) {
	if c.Preconnect.auto && concurrency == 0 {
		bad.add("--preconnect: how many? Without --concurrency give the number: --preconnect=64")
	}
	bad.connections("preconnect", c.Preconnect.number(concurrency))
}

// connect is what a measurement does before its clock starts; nil where nothing
// is to be opened. Connections that an earlier run on the same target left open
// are not opened again where they are shared.
func (g *rig) connect(concurrency int) func(context.Context) (*record.Warning, error) {
	n := g.preconnect.number(concurrency)
	if n == 0 {
		return nil
	}
	return func(ctx context.Context) (*record.Warning, error) {
		more := n
		if g.client.ConnectionReuse == openai.ReusePooled {
			more = n - g.connected
		}
		if more > 0 {
			if err := g.target.Preconnect(ctx, more); err != nil {
				return nil, fmt.Errorf("--preconnect: %w", err)
			}
			g.connected += more
		}
		took := g.target.Opened()
		if len(took) == 0 {
			return nil, nil
		}
		ns := make([]float64, len(took))
		for i, d := range took {
			ns[i] = float64(d)
		}
		at := func(p float64) time.Duration { return time.Duration(metric.Percentile(ns, p)) }
		w := record.Warning{Code: "preconnected", Text: fmt.Sprintf(
			"%d connections were opened before the clock started; times to first token hold no connecting, which took %v (median), %v (p99), at most %v",
			len(took), at(50).Round(time.Microsecond), at(99).Round(time.Microsecond), at(100).Round(time.Microsecond))}
		g.app.note("note: %s", w.Text)
		return &w, nil
	}
}
