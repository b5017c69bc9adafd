package metric

import (
	"math"
	"strings"
	"testing"

	"headway/record"
)

// decided is the verdict on an objective of records.
func decided(t *testing.T, text string, o Options, records []*record.Record) Verdict {
	t.Helper()
	objective, err := ParseObjective(text)
	if err != nil {
		t.Fatal(err)
	}
	o.Streaming, o.Objectives = true, []Objective{objective}
	verdicts := collect(o, records...).Verdicts
	if len(verdicts) != 1 || verdicts[0].Objective != objective {
		t.Fatalf("%+v", verdicts)
	}
	return verdicts[0]
}

// in are replies one after another, with so many milliseconds to the first of
// two tokens and 100 ms more to the second.
func in(ttft ...float64) []*record.Record {
	var list []*record.Record
	for i, v := range ttft {
		start := 1000 * float64(i+1)
		list = append(list, reply(start, start+v, start+v+100))
		list[i].Index = i
	}
	return list
}

func times(n int, of func(i int) float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = of(i)
	}
	return list
}

func TestVerdicts(t *testing.T) {
	// 1 … 100 ms in an order that is no trend.
	clean := in(times(100, func(i int) float64 { return float64(1 + i*37%100) })...)
	half := in(times(40, func(int) float64 { return 10 })...)
	for i, r := range half {
		if i%2 == 0 {
			*r = *failed(1000*float64(i+1), 1000*float64(i+1)+1, record.Failure{Class: record.ClassHTTP4, Code: 429})
		}
	}
	dead := []*record.Record{failed(1, 2, record.Failure{})}
	// Cut off at their first token: the latency is at least 10 ms.
	short := in(times(40, func(int) float64 { return 10 })...)
	for _, r := range short[30:] {
		r.Arrivals = r.Arrivals[:1]
		r.Done = r.Arrivals[0].At
		cancelled(r)
	}
	waited := append(in(10), cancelled(reply(5000, 5001, 9000)))
	waiting := []*record.Record{cancelled(reply(5000, 5001)), cancelled(reply(5000, 5001))}
	for _, r := range waiting {
		r.Arrivals, r.Done = nil, ms(9000)
	}
	grows := in(times(200, func(i int) float64 { return float64(i + 1) })...)
	for _, test := range []struct {
		text    string
		records []*record.Record
		want    Decision
		value   float64
		why     string
	}{
		{"ttft p50 < 80", clean, Met, 0.0505, ""},
		{"ttft p50 < 51", clean, NotDecided, 0.0505, "interval contains the bound"},
		{"ttft p50 < 50", clean, NotDecided, 0.0505, "interval contains the bound"},
		{"ttft avg < 20", clean, Missed, 0.0505, ""},
		{"ttft avg < 52", clean, NotDecided, 0.0505, "interval contains the bound"},
		{"ttft max <= 100", clean, Met, 0.1, ""},
		{"ttft max < 100", clean, Missed, 0.1, ""},
		{"ttft min >= 1", clean, Met, 0.001, ""},
		{"request_count >= 100", clean, Met, 100, ""},
		{"error_request_count < 1", clean, Met, 0, ""},
		{"error_rate < 1%", clean, Met, 0, ""},
		{"adj_time_to_first_token p50 < 80", clean, Met, 0.0505, ""},
		{"goodput > 0", clean, NotDecided, 0, "not measured"},
		{"ttft p99 < 500", in(10, 10, 10), Met, 0.01, "no interval: too few requests"},

		// What the server failed misses every objective on what a request takes.
		{"ttft p99 < 500", half, Missed, math.Inf(1), ""},
		{"ttft avg < 500", half, Missed, math.Inf(1), ""},
		{"itl p99 < 500", half, Missed, math.Inf(1), ""},
		{"output_token_throughput_per_user avg > 9", half, Missed, 5, ""},
		{"ttft p25 < 500", half, Met, 0.01, ""},
		{"error_rate < 1%", half, Missed, 0.5, ""},
		{"error_request_count < 1", half, Missed, 20, ""},
		{"ttft p99 < 1000", dead, Missed, math.Inf(1), ""},
		{"adj_time_to_first_token p50 < 80", dead, Missed, math.Inf(1), ""},
		{"adj_time_to_first_token max < 1000", half, Missed, math.Inf(1), ""},

		// What we ended decides nothing that its end would.
		{"ttft p99 < 500", short, Met, 0.01, ""}, // its first token is known
		{"request_latency p50 < 500", short, Met, 0.11, ""},
		{"request_latency p90 < 500", short, NotDecided, 0.11, "10 requests that this run ended"},
		{"request_latency avg < 500", short, NotDecided, 0.085, "10 requests that this run ended"},
		{"request_latency max < 1s", waited, Missed, 4, ""},  // it has waited for longer
		{"request_latency p50 < 1s", waiting, Missed, 4, ""}, // none has an end, and all took longer
		{"request_latency p50 < 9s", waiting, NotDecided, 4, "2 requests that this run ended"},
		{"ttft p50 < 1s", waiting, Missed, 4, ""},
		{"itl p50 < 1s", waiting, NotDecided, 0, "2 requests that this run ended"},
		{"error_rate < 1%", short, Met, 0, ""}, // own cancellations are no errors

		// A queue that grows is not met by how long the run was.
		{"ttft p50 < 150", grows, NotDecided, 0.1005, "drift"},
		{"ttft p99 < 1", grows, Missed, 0.19801, ""},
	} {
		got := decided(t, test.text, Options{}, test.records)
		if got.Decision != test.want || got.Known && !within(got.Value, test.value, 1e-9) && got.Value != test.value {
			t.Errorf("%q: %s, %v (%s); want %s, %v", test.text, got.Decision, got.Value, got.Why, test.want, test.value)
		}
		if !strings.Contains(got.Why, test.why) {
			t.Errorf("%q: why %q does not say %q", test.text, got.Why, test.why)
		}
	}
}

// Goodput counts a request that the server failed as bad, and leaves open one
// that we ended.
func TestGoodShareOfWhatWasCutOff(t *testing.T) {
	goals, err := ParseGoodput("time_to_first_token:500")
	if err != nil {
		t.Fatal(err)
	}
	records := append(in(10, 10, 10), cancelled(reply(9000, 9900)))
	o := Options{Goodput: goals}
	if got := decided(t, "good_request_fraction > 0.7", o, records); got.Decision != Met {
		t.Errorf("%+v", got)
	}
	if got := decided(t, "good_request_fraction > 0.8", o, records); got.Decision != NotDecided {
		t.Errorf("%+v", got)
	}
	records[3] = failed(9000, 9900, record.Failure{})
	if got := decided(t, "good_request_fraction > 0.8", o, records); got.Decision != Missed {
		t.Errorf("%+v", got)
	}
}
