package metric

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"headway/record"
)

// drawWhole draws a run of which everything was recorded.
func drawWhole(t *rapid.T) []*record.Record {
	var list []*record.Record
	for i := range rapid.IntRange(4, 14).Draw(t, "requests") {
		start := 1 + 40*float64(i)
		at, times := start+rapid.Float64Range(5, 90).Draw(t, "first"), []float64(nil)
		for range rapid.IntRange(2, 10).Draw(t, "tokens") {
			times = append(times, at)
			at += rapid.Float64Range(1, 20).Draw(t, "gap")
		}
		r := reply(start, times...)
		r.Planned -= ms(0.5)
		r.TokensIn, r.TokensReasoning, r.PlannedOSL = rapid.IntRange(10, 400).Draw(t, "prompt"), 0, len(times)
		for j := range r.Arrivals {
			r.Arrivals[j].Tokens = 1
		}
		r.FirstUsage = 1
		r.Usage = map[string]int{
			"prompt_tokens": r.TokensIn + 7, "completion_tokens": r.TokensOut,
			"total_tokens": r.TokensIn + r.TokensOut + 7,
		}
		if i%2 == 0 { // servers leave out what is zero
			r.Usage["prompt_cache_read_tokens"] = 16
		}
		r.HTTP = record.HTTP{
			GotConn: r.Start + 1000, HeadersSent: r.Start + 2000, FirstBody: r.Arrivals[0].At,
			End: r.Done, Reused: i > 0, Chunks: len(times),
		}
		r.Sent = r.Start + 3000
		if i%7 == 6 {
			r.Outcome, r.Failure = record.Failed, &record.Failure{Class: record.ClassReset}
			r.Arrivals, r.TokensOut = nil, -1
			r.Usage, r.FirstUsage = nil, 0
		}
		list = append(list, r)
	}
	return list
}

// removals take what a Record may lack.
var removals = map[string]func(*record.Record){
	"usage":         func(r *record.Record) { r.Usage, r.FirstUsage = nil, 0 },
	"prompt tokens": func(r *record.Record) { r.TokensIn = -1 },
	"reply tokens":  func(r *record.Record) { r.TokensOut, r.TokensReasoning = -1, -1 },
	"all counts": func(r *record.Record) {
		r.TokensIn = -1
		r.TokensOut = -1
		r.TokensReasoning = -1
		r.Usage = nil
		r.FirstUsage = 0
	},
	"cached tokens": func(r *record.Record) { delete(r.Usage, cacheRead) },
	"chunks": func(r *record.Record) {
		r.Sparse = true
		if n := len(r.Arrivals); n > 2 {
			last := r.Arrivals[n-1]
			last.Tokens = n - 1
			r.Arrivals = []record.Arrival{r.Arrivals[0], last}
		}
	},
	"planned times": func(r *record.Record) { r.Planned = 0 },
	"connection":    func(r *record.Record) { r.HTTP, r.Sent = record.HTTP{}, 0 },
	"wanted length": func(r *record.Record) { r.PlannedOSL = 0 },
	"text":          func(r *record.Record) { r.Text = nil },
}

// Taking away what a metric needs leaves it as it was or makes it absent, and
// never gives another number.
func TestWhatIsRemovedIsAbsent(t *testing.T) {
	goals, err := ParseGoodput("ttft:60 itl:12 time_to_second_token:15")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(removals))
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			Streaming: true, Concurrency: 2, NumGPUs: 2, Goodput: goals, FixedSchedule: true,
			PerChunkUsage: rapid.Bool().Draw(t, "usage splits"),
		}
		records := drawWhole(t)
		name := rapid.SampledFrom(names).Draw(t, "removed")
		some := rapid.Bool().Draw(t, "from every second alone")
		var left []*record.Record
		for i, r := range records {
			c := *r
			c.Usage = maps.Clone(r.Usage)
			if !some || i%2 == 0 {
				removals[name](&c)
			}
			left = append(left, &c)
		}
		before, after := collect(o, records...), collect(o, left...)
		for _, s := range after.Scalars {
			b, ok := before.Scalar(s.Metric.Tag)
			if part := some && partial(s.Metric.Tag, name); !part && (!ok || !within(s.Value, b.Value, 1e-9)) {
				t.Fatalf("without %s: %s is %v, was %v", name, s.Metric.Tag, s.Value, b.Value)
			}
		}
		for _, s := range after.Summaries {
			b, ok := before.Summary(s.Metric.Tag)
			if some && s.Metric.Kind != OverTime {
				continue // of those that are left
			}
			if !ok || s.Count != b.Count || !same(s.Mean, b.Mean) || !same(s.Max, b.Max) || !same(s.Std, b.Std) {
				t.Fatalf("without %s: %s is %+v, was %+v", name, s.Metric.Tag, s, b)
			}
		}
		if x := after.Offered; x != 0 && !within(x, before.Offered, 1e-9) {
			t.Fatalf("without %s: offered %v, was %v", name, x, before.Offered)
		}
	})
}

// partial names the counts that are of the Records that have something, and so
// change when a part of these has not.
func partial(tag, removed string) bool {
	switch removed {
	case "planned times":
		return slices.Contains([]string{"replay_sched_lag_p50", "replay_sched_lag_p90", "replay_sched_lag_p99"}, tag)
	case "cached tokens": // a server leaves out a zero, so that this is another server
		return tag == "total_usage_prompt_cache_read_tokens" || tag == "overall_usage_prompt_cache_read_pct"
	}
	return slices.Contains([]string{"osl_mismatch_count", "usage_discrepancy_count", "decode_speed_per_user"}, tag)
}

func same(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || within(a, b, 1e-9*math.Max(1, math.Abs(b)))
}

// A goal on what nobody recorded leaves goodput open, one that is missed all
// the same decides it.
func TestGoodputOfWhatIsNotKnown(t *testing.T) {
	held := reply(1, 100, 101)
	held.TokensOut = 41
	for goal, want := range map[string]bool{"ttft:200 itl:20": false, "ttft:50 itl:20": true, "ttft:200": true} {
		goals, err := ParseGoodput(goal)
		if err != nil {
			t.Fatal(err)
		}
		r := collect(Options{Streaming: true, Goodput: goals}, held, reply(1, 100, 110, 120))
		_, known := r.Scalar("goodput")
		if _, meaningless := r.Meaningless("goodput"); known != want || meaningless == want {
			t.Errorf("%s: known %v, meaningless %v", goal, known, meaningless)
		}
	}
}

// Whether a reply has a pace, by the reads in which its tokens came.
func TestUnread(t *testing.T) {
	at := func(tokens int, times ...float64) *record.Record {
		r := reply(1, times...)
		r.TokensOut = tokens
		return r
	}
	together := at(41, 100, 140, 140, 140, 140, 140, 140)
	for i := 2; i < 7; i++ {
		together.Arrivals[i].Coalesced = true
	}
	sparse := at(41, 100, 500)
	sparse.Sparse = true
	for name, test := range map[string]struct {
		r    *record.Record
		want bool
	}{
		"speculative decoding, four a step":  {at(41, 100, 140, 180, 220, 260, 300, 340, 380, 420, 460, 500), false},
		"one step of speculative decoding":   {at(9, 100, 140), false},
		"a chunk of twenty every second":     {at(101, 100, 1100, 2100, 3100, 4100, 5100), false},
		"all in one chunk":                   {at(41, 100), true},
		"one, then forty":                    {at(41, 100, 101), true},
		"one, then forty, not so fast":       {at(41, 100, 140), true},
		"forty, then one":                    {at(41, 100, 140), true},
		"one, then twenty and twenty":        {at(41, 100, 101, 102), true},
		"many chunks of one read":            {together, true},
		"a buffer emptied chunk by chunk":    {at(41, 100, 100.1, 100.2, 100.3, 100.4, 100.5, 100.6, 100.7), true},
		"two tokens, two reads":              {at(2, 100, 120), false},
		"one token":                          {at(1, 100), false},
		"nobody counted":                     {at(-1, 100, 101), false},
		"first and last of a simulated one":  {sparse, false},
		"the limit: five reads of any size":  {at(401, 100, 200, 300, 400, 500, 600), false},
		"the limit: eight tokens in a read":  {at(33, 100, 140, 180, 220, 260), false},
		"beyond it: nine tokens in a read":   {at(37, 100, 140, 180, 220, 260), true},
		"per-chunk usage leaves one to read": {at(41, 100, 140), true},
	} {
		if got := unread(test.r, 1); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if unread(at(41, 100, 140), 40) {
		t.Error("forty tokens in the first chunk, by usage, and one in the next are a pace")
	}
}

// The speed per user is no figure that a fast reply can own.
func TestDecodeSpeed(t *testing.T) {
	var list []*record.Record
	for i := range 9 { // ten tokens, 10 ms each
		start := 1 + 200*float64(i)
		list = append(list, reply(start, start+10, start+20, start+30, start+40, start+50, start+60, start+70, start+80,
			start+90, start+100))
	}
	fast := reply(1, 10, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7, 10.8, 10.9) // 10,000 tokens/s
	r := collect(Options{Streaming: true}, append(list, fast)...)
	whole, _ := r.Scalar("decode_speed_per_user")
	if want := 90. / (9*0.09 + 0.0009); !within(whole.Value, want, 1e-9) {
		t.Errorf("speed per user %v, want %v", whole.Value, want)
	}
	if s, _ := r.Summary("output_token_throughput_per_user"); !within(s.Mean, (9*100+10000)/10., 1e-6) {
		t.Errorf("aiperf's mean of reciprocals %v", s.Mean)
	}
	held := reply(1, 100, 101)
	held.TokensOut = 41
	r = collect(Options{Streaming: true}, held, held)
	for _, tag := range pacedTags {
		_, summary := r.Summary(tag)
		_, scalar := r.Scalar(tag)
		if _, yes := r.Meaningless(tag); !yes || summary || scalar {
			t.Errorf("%s of replies in two reads: meaningless %v, there %v", tag, yes, summary || scalar)
		}
	}
	kept := collect(Options{Streaming: true, AsAiperf: true}, held, held)
	itl, _ := kept.Summary("inter_token_latency")
	_, speed := kept.Scalar("decode_speed_per_user")
	if _, yes := kept.Meaningless("inter_token_latency"); !yes || !within(itl.Mean, 0.001/40, 1e-12) || speed ||
		!slices.Contains(codes(kept), "itl_collapsed") {
		t.Errorf("as aiperf: %+v, speed %v, warnings %v", itl, speed, codes(kept))
	}
	if _, yes := r.Meaningless("time_to_first_token"); yes {
		t.Error("their time to first token is a figure")
	}
}
