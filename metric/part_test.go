package metric

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headway/record"
)

// stream is a reply of n tokens, one every 10 ms from the start on, of which
// those up to an end came.
func stream(index int, start float64, n int, end float64) *record.Record {
	var at []float64
	for i := range n {
		if t := start + 10*float64(i+1); t <= end {
			at = append(at, t)
		}
	}
	r := reply(start, at...)
	r.Index = index
	if len(at) < n {
		cancelled(r)
		r.Done = ms(end)
	}
	return r
}

// mix is eight slots that take replies of 50 and of 600 tokens in turn, each at
// 100 tokens/s, for five seconds.
func mix() []*record.Record {
	var list []*record.Record
	free := make([]float64, 8)
	for i := 0; ; i++ {
		slot := slices.Index(free, slices.Min(free))
		n := []int{50, 600}[i%2]
		start := free[slot] + 1
		if start >= 5000 {
			return list
		}
		list = append(list, stream(i, start, n, 5000))
		free[slot] = start + 10*float64(n)
	}
}

// A run that ends while long replies are under way served 800 tokens/s all the
// time, whatever became of its replies then.
func TestTimeAndCountAreOfTheSameRequests(t *testing.T) {
	records := mix()
	ended := 0
	for _, r := range records {
		if r.Outcome == record.OK {
			ended++
		}
	}
	for name, c := range map[string]*Collector{"chunks known": NewCollector(Options{Streaming: true, Concurrency: 8}),
		"too many chunks": NewCollector(Options{Streaming: true, Concurrency: 8})} {
		if name != "chunks known" {
			c.times.limit = 0
		}
		for _, r := range records {
			if err := c.Take(r); err != nil {
				t.Fatal(err)
			}
		}
		r := c.Result()
		tokens, _ := r.Whole.Rate("output_token_throughput")
		requests, _ := r.Whole.Rate("request_throughput")
		if math.Abs(tokens.Value-800) > 4 || math.Abs(requests.Value-float64(ended)/5) > 0.01 ||
			math.Abs(r.Whole.Duration-5) > 0.01 {
			t.Errorf("%s: %v tokens/s, %v requests/s over %v s", name, tokens.Value, requests.Value, r.Whole.Duration)
		}
		if !slices.Contains(codes(r), "outside") {
			t.Errorf("%s: no warning of what the figures leave out: %v", name, codes(r))
		}
		p50, _ := r.Whole.Summary("request_latency")
		if q, _ := p50.Quantile(99); !q.AtLeast || q.Value < 4 {
			t.Errorf("%s: the latency's p99 is %+v", name, q)
		}
	}
}

// The warning of what figures leave out holds for the part that leads, too.
func TestWhatTheSteadyPartLeavesOut(t *testing.T) {
	var records []*record.Record
	for slot := range 4 {
		free := float64(slot + 1)
		for i, n := range []int{100 + 10*slot, 20, 600} {
			records = append(records, stream(3*slot+i, free, n, 4000))
			free += 10*float64(n) + 1
		}
	}
	r := collect(Options{Streaming: true, Concurrency: 4}, records...)
	part, steady := r.Lead()
	i := slices.IndexFunc(r.Warnings, func(w record.Warning) bool { return w.Code == "outside" })
	if !steady || part.Outside < r.Whole.Outside+0.05 || i < 0 {
		t.Fatalf("steady %v, outside %v of it and %v of all, %v", steady, part.Outside, r.Whole.Outside, codes(r))
	}
	if want := fmt.Sprintf("(%.1f %% in the steady part)", 100*part.Outside); !strings.Contains(
		r.Warnings[i].Text, want) {
		t.Errorf("%q does not say %q", r.Warnings[i].Text, want)
	}
}

// A run cut off where its tokens are counted by the server alone: those of
// broken replies are taken by chunks, and that is said.
func TestTokensThatNobodyCounted(t *testing.T) {
	records := mix()
	for _, r := range records {
		if r.Outcome != record.OK {
			r.TokensOut = -1
		}
	}
	r := collect(Options{Streaming: true, Concurrency: 8}, records...)
	tokens, _ := r.Whole.Rate("output_token_throughput")
	if math.Abs(tokens.Value-800) > 4 || r.Whole.Assumed < 0.5 || !slices.Contains(codes(r), "assumed_tokens") {
		t.Errorf("%v tokens/s, assumed %v, %v", tokens.Value, r.Whole.Assumed, codes(r))
	}
	for _, r := range records {
		r.TokensOut = -1
	}
	r = collect(Options{Streaming: true, Concurrency: 8}, records...)
	if rate, ok := r.Whole.Rate("output_token_throughput"); ok {
		t.Errorf("nobody counted a token, and there are %v a second", rate.Value)
	}
}

// Cutting a run off at any instant changes what it knows, and nothing else: a
// quantile that it still gives is that of the whole run or a bound below it.
func TestCuttingOffNeverInventsAValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(5, 60).Draw(t, "n")
		at := rapid.Float64Range(1, 3000).Draw(t, "cut at")
		var whole, cut []*record.Record
		for i := range n {
			start := 1 + rapid.Float64Range(0, 1000).Draw(t, "start")
			tokens := rapid.IntRange(1, 100).Draw(t, "tokens")
			whole = append(whole, stream(i, start, tokens, 1e9))
			if start+10 <= at {
				cut = append(cut, stream(i, start, tokens, at))
			}
		}
		if len(cut) < n {
			return // not all had begun: another population
		}
		a, b := collect(Options{Streaming: true}, whole...), collect(Options{Streaming: true}, cut...)
		x, _ := a.Whole.Summary("request_latency")
		y, ok := b.Whole.Summary("request_latency")
		if !ok {
			return // none had ended
		}
		if y.Mean > x.Mean+1e-9 || y.Mean < x.Mean-1e-9 && !y.MeanAtLeast {
			t.Fatalf("mean %v (at least %v), of all %v", y.Mean, y.MeanAtLeast, x.Mean)
		}
		if s, _ := y.Quantile(99); s.AtLeast && s.Value > x.Max {
			t.Fatalf("p99 at least %v, and the longest took %v", s.Value, x.Max)
		}
	})
}

// A closed loop starts with all slots at one instant. Its whole has no interval,
// and the steady part does not hold the start.
func TestTheStartIsNotTheSteadyPart(t *testing.T) {
	var records []*record.Record
	for i := range 60 {
		for slot := range 4 {
			start := 1 + float64(100*i+slot)
			wait := 10 + float64(i*7%13)
			if i == 0 {
				wait = 90 - float64(slot)
			}
			r := reply(start, start+wait, start+95)
			r.Index = 4*i + slot
			records = append(records, r)
		}
	}
	r := collect(Options{Streaming: true, Concurrency: 4}, records...)
	whole, _ := r.Whole.Summary("time_to_first_token")
	steady, _ := r.Steady.Summary("time_to_first_token")
	if whole.Why != HoldsStart || !math.IsNaN(whole.MeanLow) {
		t.Errorf("whole: %v in %v to %v, %q", whole.Mean, whole.MeanLow, whole.MeanHigh, whole.Why)
	}
	if steady.Max > 0.025 || !(steady.MeanLow <= steady.Mean && steady.Mean <= steady.MeanHigh) {
		t.Errorf("steady: %+v", steady)
	}
	if lead, is := r.Lead(); !is || lead != &r.Steady.Part {
		t.Error("the steady part does not lead")
	}
	listed, _ := r.Summary("time_to_first_token")
	if listed.Why != HoldsStart || listed.Mean != whole.Mean {
		t.Errorf("as aiperf: %+v", listed)
	}
}

// Replies of one length that start and end together bring their tokens in waves.
// Those of a few waves are the greatest movement of such a run and none of its
// rate, which is known to what the last reply had brought at the end.
func TestWavesDoNotWidenARate(t *testing.T) {
	const slots, rounds = 50, 8
	var records []*record.Record
	for i := range rounds {
		for slot := range slots {
			start := 1 + float64(1000*i) + float64(slot*7%11)
			r := reply(start, start+600, start+700, start+800, start+900)
			r.Index = slots*i + slot
			records = append(records, r)
		}
	}
	r := collect(Options{Streaming: true, Concurrency: slots}, records...)
	const rate = 4 * slots // tokens/s
	tokens, _ := r.Steady.Rate("output_token_throughput")
	if half := (tokens.High - tokens.Low) / 2; !(half < 0.1*rate) || tokens.Low > rate || tokens.High < rate {
		t.Errorf("%v tokens/s, from %v to %v, of %v", tokens.Value, tokens.Low, tokens.High, rate)
	}
}

// A steady part of few requests leads where it is most of the run, as in a run
// of few requests, and not where it is the little that a start and an end left.
func TestLeadOfFew(t *testing.T) {
	part := func(requests int, share float64) *Result {
		s := &Steady{}
		s.Share = share
		s.Duration = 1
		s.Requests = requests
		s.Latencies = make([]Summary, 1)
		return &Result{Whole: &Part{}, Steady: s}
	}
	for _, tt := range []struct {
		requests int
		share    float64
		want     bool
	}{{7, 0.13, false}, {7, 0.5, true}, {10, 0.13, true}, {4, 1, true}} {
		if _, steady := part(tt.requests, tt.share).Lead(); steady != tt.want {
			t.Errorf("%d requests, %g of the run: steady leads %v", tt.requests, tt.share, steady)
		}
	}
}
