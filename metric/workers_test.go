package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headway/record"
)

// byWorker is a good reply of a worker: sent at from, first text at first, over at to,
// all in milliseconds.
func byWorker(from, first, to record.Time, worker string, told *record.Told) *record.Record {
	const ms = 1e6
	return &record.Record{Outcome: record.OK, Streamed: true, Worker: worker, Told: told, Start: from * ms,
		Sent: from * ms, Done: to * ms, TokensIn: 100, TokensOut: 10, TokensReasoning: -1,
		Arrivals: []record.Arrival{{At: first * ms, Kind: record.Content}, {At: to * ms, Kind: record.Content}}}
}

func pointer[T any](v T) *T { return &v }

// Workers are told apart by what replies name: a worker's time is that in which it
// had any request, of a disaggregated one its half, and the order does not matter.
func TestWorkers(t *testing.T) {
	split := &record.Told{PrefillWorker: "18446744073709551615", DecodeWorker: "7", TTFT: pointer(0.5),
		HitRate: pointer(0.25), Queued: pointer(3)}
	list := []*record.Record{
		byWorker(1000, 1500, 2000, "7", nil), byWorker(1500, 1600, 3000, "7", nil),
		byWorker(5000, 5500, 6000, "7", nil),
		byWorker(1000, 1800, 3800, "7", split), byWorker(1000, 1100, 1200, "", nil),
	}
	list[0].Usage = map[string]int{cacheRead: 40}
	failed := byWorker(7000, 7100, 7500, "9", nil)
	failed.Outcome, failed.Arrivals = record.Failed, nil
	list = append(list, failed)
	want := Workers{HitRate: 0.25, Queued: 3, Imbalance: 3.8 * 3 / (3.8 + 0.5 + 0.8), Each: []Worker{
		{Name: "7", Requests: 4, PromptTokens: 300, CachedTokens: 40, OutputTokens: 40, Busy: 3.8,
			TTFT: 1.1 / 3, ServerTTFT: math.NaN()},
		{Name: "9", Requests: 1, Failed: 1, PromptTokens: 100, CachedTokens: -1, OutputTokens: 10,
			Busy: 0.5, TTFT: math.NaN(), ServerTTFT: math.NaN()},
		{Name: "18446744073709551615", Requests: 1, PromptTokens: 100, CachedTokens: 25, Busy: 0.8, TTFT: 0.8,
			ServerTTFT: 0.5},
	}}
	for range 4 {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		c := NewCollector(Options{Streaming: true})
		for _, r := range list {
			_ = c.Take(r) // never fails
		}
		near := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-9, 0)}
		if diff := cmp.Diff(want, c.Result().Workers, near); diff != "" {
			t.Fatal(diff)
		}
	}
}

// Names without end take no memory without end, and make no table.
func TestWorkersWithoutEnd(t *testing.T) {
	var w workers
	for i := range 3 * MaxWorkers {
		w.add(byWorker(1, 2, 3, fmt.Sprint("w", i), nil))
	}
	if got := w.result(); got.Each != nil || len(w.named) > MaxWorkers+1 {
		t.Errorf("%d workers of %d", len(got.Each), len(w.named))
	}
}

// One worker has no imbalance, and what replies do not say is not known.
func TestWorkersUnknown(t *testing.T) {
	var w workers
	w.add(byWorker(1, 2, 3, "only", nil))
	if got := w.result(); !math.IsNaN(got.Imbalance) || !math.IsNaN(got.HitRate) || len(got.Each) != 1 {
		t.Errorf("%+v", got)
	}
}
