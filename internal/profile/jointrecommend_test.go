package profile

import "testing"

func TestRecommend(t *testing.T) {
	pool := &Pool{Workers: 1, Mapping: "TP=1"}
	of := func(aggregated bool, gpus int, rate float64, met bool) *Deployment {
		x := &Deployment{GPUs: gpus, RequestRate: rate, Served: rate, Met: met}
		if x.Aggregated = pool; !aggregated {
			x.Aggregated, x.Prefill, x.Decode = nil, pool, pool
		}
		return x
	}
	sized := Demand{RequestRate: 10}
	for _, c := range []struct {
		name          string
		demand        Demand
		apart, whole  *Deployment
		wantsTheWhole bool
	}{
		{"alone", Demand{}, nil, of(true, 8, 4, true), true},
		{"a target", sized, of(false, 4, 10, false), of(true, 8, 10, true), true},
		{"more of the load", sized, of(false, 4, 9, true), of(true, 8, 10, true), true},
		{"fewer GPUs", sized, of(false, 4, 10, true), of(true, 8, 10, true), false},
		{"a tenth per GPU is near", Demand{}, of(false, 20, 20, true), of(true, 4, 3.7, true), true},
		{"more is not", Demand{}, of(false, 20, 20, true), of(true, 4, 3.5, true), false},
	} {
		if got := c.demand.Recommend(c.apart, c.whole); got == nil || (got == c.whole) != c.wantsTheWhole {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if got := sized.Recommend(nil, nil); got != nil {
		t.Errorf("of nothing: %+v", got)
	}
	if text := of(false, 1, 1, true).Workers(); text != "1× prefill TP=1, 1× decode TP=1" {
		t.Error(text)
	}
}

// Where more arrives than is served by more than an eighth, the wait is beyond any
// target before the hold ends.
func TestHoldShowsOverload(t *testing.T) {
	for _, target := range []float64{.05, .3, 5, 30} {
		const one = 2.
		hold, from := held(one, SLO{TTFT: target})
		if wait := (hold + from) / 2 / 8; wait < target*.999 {
			t.Errorf("a target of %g s: an eighth too much waits %.3g s on average", target, wait)
		}
	}
	if hold, from := held(5, SLO{TTFT: .3}); hold != 30 || from != 10 {
		t.Errorf("a usual load is held %g s from %g on", hold, from)
	}
}
