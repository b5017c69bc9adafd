package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headway/record"
)

// The timeline keeps what there is: the time in flight, the tokens, the ends.
func TestOverviewKeepsTotals(t *testing.T) {
	a, b := reply(1000, 1100, 1300, 1500), reply(1200, 1900, 3000)
	gone := failed(1400, 2000, record.Failure{Class: record.ClassRefused})
	o := collect(Options{Streaming: true}, b, gone, a).Overview
	total := func(list []float64) (sum float64) {
		for _, v := range list {
			sum += v * o.Step
		}
		return sum
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"time in flight": {total(o.InFlight), 0.5 + 1.8 + 0.6},
		"tokens":         {total(o.Tokens), 5},
		"replies":        {total(o.Replies), 2},
		"errors":         {total(o.Errors), 1},
		"length":         {o.Length, 2},
		"start":          {o.Start, 1},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	want := []Sampled{
		{Index: 0, Planned: 0, Start: 0, Connect: math.NaN(), First: 0.1, Last: 0.5, End: 0.5, In: 100, Out: 3,
			Outcome: record.OK, Slow: true},
		{Planned: 0.2, Start: 0.2, Connect: math.NaN(), First: 0.9, Last: 2, End: 2, In: 100, Out: 2,
			Outcome: record.OK, Slow: true},
		{Planned: 0.4, Start: 0.4, Connect: math.NaN(), First: math.NaN(), Last: math.NaN(), End: 1, In: 100, Out: -1,
			Outcome: record.Failed},
	}
	near := cmpopts.EquateApprox(0, 1e-9)
	if diff := cmp.Diff(want, o.Requests, near, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

// Its size has a bound, and it is the same whatever the order of the Records.
func TestOverviewIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []*record.Record
	for i := range 2000 {
		start := 1 + float64(i)*3
		r := reply(start, start+20+random.Float64()*100, start+200+random.Float64()*300)
		if i%100 == 7 {
			r = failed(start, start+5, record.Failure{Class: record.ClassReset})
		}
		r.Index = i
		all = append(all, r)
	}
	o := collect(Options{Streaming: true}, all...).Overview
	if n := len(o.InFlight); n > overviewSteps {
		t.Errorf("%d steps", n)
	}
	if n := len(o.Requests); n < 120 || n > 160 || o.Sent != 2000 {
		t.Errorf("%d of %d requests", n, o.Sent)
	}
	for _, c := range o.Curves {
		if n := len(c.Values); n > 400 || c.Count != 1980 || c.Shares[n-1] != 1 || c.Shares[0] != 0 {
			t.Errorf("%s: %d points of %d", c.Metric.Tag, n, c.Count)
		}
	}
	if len(o.Curves) != 3 {
		t.Errorf("%d curves", len(o.Curves))
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	again := collect(Options{Streaming: true}, all...).Overview
	quiet := cmpopts.IgnoreFields(Curve{}, "Metric")
	if diff := cmp.Diff(o, again, cmpopts.EquateNaNs(), quiet); diff != "" {
		t.Error(diff)
	}
}

func TestOverviewOfNothing(t *testing.T) {
	if o := collect(Options{}, &record.Record{Outcome: record.Dropped}).Overview; o != nil {
		t.Errorf("%+v", o)
	}
}
