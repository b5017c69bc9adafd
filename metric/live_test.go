package metric

import (
	"math"
	"sync"
	"testing"

	"headway/record"
)

func TestLive(t *testing.T) {
	c := NewCollector(Options{Streaming: true, Clock: record.NewClock()})
	before := c.Live()
	if !math.IsNaN(before.TTFT50) || before.RequestRate != 0 || before.OK != 0 {
		t.Errorf("before the first record: %+v", before)
	}
	// A run in virtual time, far ahead of the clock: a reply of 4 tokens every
	// 100 ms for a minute, TTFT 20 ms and ITL 10 ms, the last ten times slower.
	for i := range 600 {
		slow := 1.0
		if i%20 == 0 {
			slow = 10
		}
		start := 1e6 + 100*float64(i)
		take(t, c, reply(start, start+20*slow, start+20*slow+10*slow, start+20*slow+20*slow, start+20*slow+30*slow))
	}
	take(t, c, failed(1e6, 1e6+1, record.Failure{}))
	cancelled, dropped, warm := reply(1, 2), &record.Record{}, reply(1, 2)
	cancelled.Outcome, warm.Warmup = record.Cancelled, true
	for _, r := range []*record.Record{cancelled, dropped, warm} {
		take(t, c, r)
	}
	got := c.Live()
	if counts := [5]int{got.OK, got.Failed, got.Cancelled, got.Dropped, got.Warmup}; counts != [5]int{600, 1, 1, 1, 1} {
		t.Errorf("ok, failed, cancelled, dropped, warm-up: %v", counts)
	}
	for name, pair := range map[string][2]float64{
		"TTFT p50": {got.TTFT50, 0.020}, "TTFT p99": {got.TTFT99, 0.200},
		"ITL p50": {got.ITL50, 0.010}, "ITL p99": {got.ITL99, 0.100},
	} {
		if !within(pair[0], pair[1], 0.02) {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	if !within(got.RequestRate, 10, 0.05) || !within(got.TokenRate, 40, 0.05) {
		t.Errorf("%v requests/s and %v tokens/s, want 10 and 40", got.RequestRate, got.TokenRate)
	}
}

func TestLiveForgetsWhatIsLongAgo(t *testing.T) {
	c := NewCollector(Options{Streaming: true})
	for i := range 100 {
		take(t, c, reply(1000+float64(i), 1200+float64(i)))
	}
	take(t, c, reply(1000, 60_000))
	if got := c.Live().RequestRate; got == 0 || got > 0.2 {
		t.Errorf("one reply in ten seconds is %v requests/s", got)
	}
}

func TestLiveOfRepliesThatNobodyCounted(t *testing.T) {
	c := NewCollector(Options{Streaming: true})
	r := reply(1000, 1200, 1300)
	r.TokensOut = -1
	take(t, c, r)
	if got := c.Live(); !math.IsNaN(got.TokenRate) || got.RequestRate == 0 {
		t.Errorf("%v tokens/s, %v requests/s", got.TokenRate, got.RequestRate)
	}
}

func TestLiveWhileTaking(t *testing.T) {
	c := NewCollector(Options{Streaming: true, Clock: record.NewClock()})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		last := 0
		for {
			l := c.Live()
			if l.OK < last {
				t.Errorf("the count went from %d to %d", last, l.OK)
			}
			last = l.OK
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 2000 {
		take(t, c, reply(1, 2, 3))
	}
	close(stop)
	wg.Wait()
	if got := c.Live().OK; got != 2000 {
		t.Errorf("%d of 2000 counted", got)
	}
}

func take(t *testing.T, c *Collector, r *record.Record) {
	t.Helper()
	if err := c.Take(r); err != nil {
		t.Fatal(err)
	}
}
