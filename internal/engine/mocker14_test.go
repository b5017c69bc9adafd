package engine

import (
	"testing"
	"time"
)

// run is what became of a request: its arrival, first and last token.
type run struct{ at, first, last time.Duration }

// What the engine of Dynamo 1.4.2 makes of these requests (ai-dynamo-runtime
// 1.4.2, run_mocker_trace_replay offline with blocks of 64), to the microsecond.
func TestMocker14(t *testing.T) {
	for name, v := range map[string][]struct {
		at             time.Duration
		prompt, output int
		blocks         []uint64
		first, last    float64 // milliseconds after time 0
	}{
		"a lone prompt":           {{0, 571, 9, nil, 31.0781, 77.2453}},
		"one token":               {{0, 571, 1, nil, 31.0781, 31.0781}},
		"whole blocks":            {{0, 576, 6, nil, 31.1564, 60.0212}},
		"a token more":            {{0, 577, 6, nil, 31.1754, 60.0402}},
		"three chunks":            {{0, 20000, 5, nil, 421.9457, 448.9954}},
		"two in one step":         {{0, 571, 5, nil, 40.1893, 63.3865}, {0, 571, 5, nil, 40.1893, 63.3865}},
		"beside one that decodes": {{0, 571, 20, nil, 31.0781, 173.1171}, {40, 1000, 5, nil, 80.5456, 103.8416}},
		"a prompt that is cached": {
			{0, 1024, 5, upTo(16), 38.2834, 61.4675},
			{100, 1024, 5, upTo(16), 123.2676, 146.4517},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Config{Type: Mocker14})
			want := map[uint64]run{}
			for i, r := range v {
				id, at := uint64(i+1), r.at*time.Millisecond
				submit(t, e, at, Request{ID: id, PromptTokens: r.prompt, MaxTokens: r.output, Blocks: r.blocks})
				want[id] = run{at: at, first: milliseconds(r.first), last: milliseconds(r.last)}
			}
			for id, got := range runs(stepTo(t, e, forever)) {
				if !near(got.first, want[id].first) || !near(got.last, want[id].last) {
					t.Errorf("request %d: first token at %v, last at %v; want %v, %v", id, got.first, got.last,
						want[id].first, want[id].last)
				}
			}
		})
	}
}

// Workers that only prefill take no time for decoding: 25.308 ms, in both
// releases.
func TestMocker14Prefill(t *testing.T) {
	for _, typ := range []Type{VLLM, Mocker14} {
		got := play(t, Config{Type: typ, Role: PrefillOnly}, numbered(1, 571, 5))[1].At
		if want := (Polynomial{}).Prefill(571); got != want {
			t.Errorf("%s: first token at %v, want %v", typ, got, want)
		}
	}
}

func upTo(n uint64) (blocks []uint64) {
	for i := range n {
		blocks = append(blocks, i+1)
	}
	return blocks
}

func near(got, want time.Duration) bool { return (got - want).Abs() <= time.Microsecond }

// runs are the times of first and last tokens by request.
func runs(events []Event) map[uint64]run {
	all := map[uint64]run{}
	for _, ev := range events {
		if ev.Kind != Token {
			continue
		}
		r := all[ev.ID]
		if ev.Token == 1 {
			r.first = ev.At
		}
		r.last = ev.At
		all[ev.ID] = r
	}
	return all
}
