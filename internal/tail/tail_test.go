package tail

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/record"
)

// answered is a Record with chunks at these times, in seconds.
func answered(i int, worker string, sent float64, at ...float64) *record.Record {
	r := &record.Record{Index: i, Session: fmt.Sprint(i), Outcome: record.OK, Streamed: true, TokensIn: 1000,
		TokensOut: len(at), Worker: worker, Planned: stampOf(sent), Start: stampOf(sent), Sent: stampOf(sent)}
	for _, t := range at {
		r.Arrivals = append(r.Arrivals, record.Arrival{At: stampOf(t), Kind: record.Content, Tokens: 1})
	}
	return r
}

// steady is a reply of n chunks, 10 ms apart, the first 50 ms after its request.
func steady(i int, worker string, sent float64, n int) *record.Record {
	var at []float64
	for k := range n {
		at = append(at, sent+0.05+0.01*float64(k))
	}
	return answered(i, worker, sent, at...)
}

func analysed(records ...*record.Record) *Result {
	var e Evidence
	for _, r := range records {
		_ = e.Take(r)
	}
	return Analyse(&e, Server{})
}

// All of a request's time is in some class, and an excess is all that was above
// typical.
func TestSharesAddUp(t *testing.T) {
	for _, sc := range scenarios() {
		sc.network = 1e-4
		p := play(&sc)
		for i, r := range p.result.Requests {
			if math.Abs(r.First.Total()-p.first[i].was.Total()) > 0.01 ||
				math.Abs(r.Whole.Total()-p.whole[i].was.Total()) > 0.01 {
				t.Fatalf("%s, request %d: %g and %g, really %g and %g", sc.name, r.Index, r.First.Total(),
					r.Whole.Total(), p.first[i].was.Total(), p.whole[i].was.Total())
			}
			for c, v := range r.Whole {
				if v < -1e-9 {
					t.Fatalf("%s, request %d: %g s of %s", sc.name, r.Index, v, Class(c))
				}
			}
		}
		for _, x := range []Excess{p.result.First, p.result.Whole} {
			if got := x.Over.Total() - x.Slow.Total() + x.Typical.Total(); math.Abs(got) > 1e-6 {
				t.Errorf("%s: the excess is %g s off", sc.name, got)
			}
		}
	}
}

// The order in which Records come does not matter.
func TestOrderDoesNotMatter(t *testing.T) {
	var records []*record.Record
	for i := range 60 {
		records = append(records, steady(i, "a", 1+0.013*float64(i), 5+i%7))
	}
	want := analysed(records...)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(records), func(i, j int) {
		records[i], records[j] = records[j], records[i]
	})
	if diff := cmp.Diff(want, analysed(records...)); diff != "" {
		t.Error(diff)
	}
}

func TestWhyThereIsNone(t *testing.T) {
	if r := analysed(steady(0, "a", 1, 5)); r != nil {
		t.Errorf("%+v", r)
	}
	short := steady(0, "a", 1, 5)
	short.Sparse = true
	if r := analysed(short); !strings.Contains(r.Why, "single tokens") {
		t.Errorf("%+v", r)
	}
	var e Evidence
	for i := range MostRequests + 1 {
		_ = e.Take(steady(i, "a", 1, 1))
	}
	if r := Analyse(&e, Server{}); !strings.Contains(r.Why, "more than") {
		t.Errorf("%+v", r)
	}
}

// Replies that do not go in step tell nothing of an engine, and nothing is made up.
func TestApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var records []*record.Record
	for i := range 100 {
		var at []float64
		now := 1 + rng.Float64()
		for range 50 {
			now += 0.03 * rng.Float64()
			at = append(at, now)
		}
		records = append(records, answered(i, "", 1, at...))
	}
	r := analysed(records...)
	one := r.Requests[0]
	if r.Why == "" || one.Whole[Unknown] < 0.99*one.Whole.Total() {
		t.Errorf("%q, %+v", r.Why, one)
	}
	wait, prefill := 0.2, 0.1
	for _, x := range records {
		x.Told = &record.Told{Wait: &wait, Prefill: &prefill}
	}
	for _, one := range analysed(records...).Requests {
		if one.First.Total() > 0.2 && math.Abs(one.First[Unknown]-prefill) > 1e-6 {
			t.Errorf("what the server says of its prefill is not used: %+v", one.First)
		}
	}
}

// A chunk that is late on its way by nearly a step is of its step all the same, whether
// its reply goes on or begins with it.
func TestLateOnItsWay(t *testing.T) {
	var records []*record.Record
	for i := range 30 {
		r := steady(i, "a", 1+0.01*float64(i), 60)
		for k := range r.Arrivals {
			if (k+7*i)%13 == 0 {
				r.Arrivals[k].At += stampOf(0.009)
			}
		}
		records = append(records, r)
	}
	none := 0.0
	var e Evidence
	for _, r := range records {
		_ = e.Take(r)
	}
	for _, r := range Analyse(&e, Server{Preemptions: &none}).Requests {
		if r.Whole[Unknown] > 0 {
			t.Fatalf("request %d stood still: %+v", r.Index, r.Whole)
		}
	}
}

// Between the first token of a prefill worker and the second of a decode worker lie the
// transfer, and the queue there.
func TestTransfer(t *testing.T) {
	var records []*record.Record
	for i := range 40 {
		sent := 1 + 3*float64(i)
		at := []float64{sent + 0.1}
		for k := range 20 {
			at = append(at, sent+0.16+0.01*float64(k))
		}
		if i == 7 {
			for k := range at[1:] {
				at[k+1] += 0.5
			}
		}
		records = append(records, answered(i, "1+0", sent, at...))
	}
	r := analysed(records...)
	if got := r.Requests[3].Whole; math.Abs(got[Transfer]-0.05) > 0.011 || got[Preemption] != 0 {
		t.Errorf("%+v", got)
	}
	if got := r.Requests[7].Whole; math.Abs(got[Queueing]-0.5) > 0.011 {
		t.Errorf("a wait at the decode worker: %+v", got)
	}
}

// Where servers counted no preemption, a reply that stood still did so for a reason
// that nobody can tell.
func TestStoodStill(t *testing.T) {
	var e Evidence
	for i := range 30 {
		r := steady(i, "a", 1, 200)
		if i == 4 {
			for k := 50; k < len(r.Arrivals); k++ {
				r.Arrivals[k].At += stampOf(0.5)
			}
		}
		_ = e.Take(r)
	}
	none := 0.0
	for _, x := range []struct {
		server Server
		want   Class
	}{{Server{}, Preemption}, {Server{Preemptions: &none}, Unknown}} {
		if got := Analyse(&e, x.server).Requests[4].Whole; math.Abs(got[x.want]-0.5) > 0.02 {
			t.Errorf("%v: %+v", x.want, got)
		}
	}
}
