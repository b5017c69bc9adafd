package load

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headway/record"
	"headway/workload"
)

// An endpoint that refuses everything ends the run after a few requests; one
// that answers some, or is only busy, does not.
func TestRefusals(t *testing.T) {
	wrong := record.Failure{Class: record.ClassHTTP4, Code: 404, Message: "The model `x` does not exist."}
	for _, c := range []struct {
		name    string
		failure record.Failure
		good    func(n int) bool // by the request's place in the order of ends
		flying  int64
		after   int // requests, 0 for never
	}{
		{name: "wrong model", failure: wrong, after: 5},
		{name: "wrong model, many slots", failure: wrong, flying: 9, after: 20},
		{name: "no key", failure: record.Failure{Class: record.ClassHTTP4, Code: 401, Message: "no"}, after: 5},
		{name: "another address",
			failure: record.Failure{Class: record.ClassHTTP, Code: 301, Message: "moved"}, after: 5},
		{name: "certificate", failure: record.Failure{Class: record.ClassTLS, Message: "expired"}, after: 5},
		{name: "unknown field", failure: record.Failure{Class: record.ClassHTTP4, Code: 400,
			Message: "top_q"}, after: 5},
		{name: "key that runs out", failure: record.Failure{Class: record.ClassHTTP4, Code: 401},
			good: func(n int) bool { return n < 30 }, after: 35},
		{name: "some prompts too long", failure: record.Failure{Class: record.ClassHTTP4, Code: 400,
			Message: "too long"}, good: func(n int) bool { return n == 0 }},
		{name: "one in four is answered", failure: wrong, good: func(n int) bool { return n%4 == 3 }},
		{name: "too many", failure: record.Failure{Class: record.ClassHTTP4, Code: 429}},
		{name: "not ready", failure: record.Failure{Class: record.ClassHTTP5, Code: 503}},
		{name: "nothing listens", failure: record.Failure{Class: record.ClassRefused}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f refusals
			ended := 0
			for n := range 200 {
				r := &record.Record{Outcome: record.Failed, Failure: &c.failure}
				if c.good != nil && c.good(n) {
					r = &record.Record{Outcome: record.OK}
				}
				if why := f.saw(r, c.flying); why != "" {
					if ended > 0 || !strings.Contains(why, c.failure.Message) {
						t.Errorf("%q after %d and after %d", why, ended, n+1)
					}
					ended = n + 1
				}
			}
			if ended != c.after {
				t.Errorf("ended after %d, not %d", ended, c.after)
			}
		})
	}
}

func TestRefusalEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fast := range []bool{true, false} {
			m := &memory{}
			f := &fakeTarget{latency: time.Second,
				failure: &record.Failure{Class: record.ClassHTTP4, Code: 404, Message: "no such model"},
				fail:    func(workload.Request) bool { return true }}
			out, err := newGenerator(f, m).Run(t.Context(),
				workload.Plan{Source: closedLoop(400), Requests: 400, Concurrency: 3, FailFast: fast})
			if err != nil || len(m.records) != 400 {
				t.Fatalf("%d records, %v", len(m.records), err)
			}
			dropped := 0
			for _, r := range m.records {
				if r.Outcome == record.Dropped {
					dropped++
				}
			}
			if said := strings.Contains(out.Aborted, "HTTP 404: no such model"); said != fast ||
				(dropped > 380) != fast {
				t.Errorf("fast %v: %q, %d dropped", fast, out.Aborted, dropped)
			}
		}
	})
}
