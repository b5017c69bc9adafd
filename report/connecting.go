package report

import (
	"fmt"

	"headway/record"
)

// connecting is the time to connect of a run: that of connections opened before
// the clock started, which no request holds, and that of connections which good
// replies opened for themselves.
type connecting struct {
	ahead         *record.Ahead // nil where none was
	own, of       int           // replies that opened one, and all
	mean, longest float64       // of the own, in seconds
	streamed      bool          // replies have a TTFT
}

// connecting finds the figures. The summaries hold a 0 for every request that
// took an open connection.
func (r *Report) connecting() connecting {
	c := connecting{ahead: r.Run.Ahead}
	reused, known := r.Result.Summary("http_req_connection_reused")
	took, timed := r.Result.Summary("http_req_connecting")
	_, c.streamed = r.Result.Summary("time_to_first_token")
	if own := reused.Count - int(reused.Sum+0.5); known && timed && own > 0 && took.Sum > 0 {
		c.own = own
		c.of = reused.Count
		c.mean = took.Sum / float64(own)
		c.longest = took.Max
	}
	return c
}

// lines are what the terminal says.
func (c connecting) lines() (list []string) {
	if a := c.ahead; a != nil {
		list = append(list, fmt.Sprintf(
			"Time to connect: %s median, %s p99, %s at most, of %d connections opened before the clock started; no "+
				"latency holds it",
			timeText(a.P50), timeText(a.P99), timeText(a.Max), a.Count))
	}
	if c.own == 0 {
		return list
	}
	holds := "which their latency holds"
	if c.streamed {
		holds = "which their latency and TTFT hold"
	}
	return append(list, fmt.Sprintf(
		"Connecting: %d of %d replies opened a connection, in %s on average and %s at most, %s (--preconnect opens "+
			"them before)",
		c.own, c.of, timeText(c.mean), timeText(c.longest), holds))
}

// object is headway.time_to_connect. What there was none of is absent.
func (c connecting) object() object {
	ms := func(s float64) float64 { return tidy(1e3 * s) }
	o := object{{"unit", "ms"}}
	if a := c.ahead; a != nil {
		o.add("ahead", object{
			{"count", a.Count},
			{"avg", ms(a.Mean)},
			{"p50", ms(a.P50)},
			{"p99", ms(a.P99)},
			{"max", ms(a.Max)},
		})
	}
	if c.own > 0 {
		o.add("in_requests", object{{"count", c.own}, {"avg", ms(c.mean)}, {"max", ms(c.longest)}})
	}
	return o
}
