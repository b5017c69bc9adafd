package engine

import (
	"testing"
	"time"
)

// receiver is a decode worker behind a link of 1 GB/s: a prompt of 1,000 tokens, of 10,000
// bytes each, takes 10 ms.
func receiver(t *testing.T, in *Link) *Engine {
	t.Helper()
	e, err := New(Config{Timing: tenEach, Role: DecodeOnly, KVBytesPerToken: 10_000, TransferBandwidth: 1e9,
		TransferLatency: time.Millisecond, Inbound: in})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// arrivals submits prompts of 1,000 tokens at 0 and returns when each sequence may
// decode, in order of the requests.
func arrivals(t *testing.T, e *Engine, out ...*Link) (all []time.Duration) {
	t.Helper()
	for i, link := range out {
		r := Request{ID: uint64(i), PromptTokens: 1000, MaxTokens: 2, Outbound: link}
		if err := e.Submit(0, r); err != nil {
			t.Fatal(err)
		}
	}
	e.Step(0)
	for i := range out {
		all = append(all, e.byID[uint64(i)].due)
	}
	return all
}

func TestTransfersShareLinks(t *testing.T) {
	const ms = time.Millisecond
	var in, out, other Link
	for _, x := range []struct {
		what       string
		e          *Engine
		from       []*Link
		want       []time.Duration
		wait, took time.Duration
	}{
		{"links of nobody", receiver(t, nil), []*Link{nil, nil}, []time.Duration{11 * ms, 11 * ms}, 0, 22 * ms},
		{"one way in", receiver(t, &in), []*Link{nil, nil, nil}, []time.Duration{11 * ms, 21 * ms, 31 * ms}, 30 * ms,
			63 * ms},
		{"another worker behind it", receiver(t, &in), []*Link{&out}, []time.Duration{41 * ms}, 30 * ms, 41 * ms},
		{"one way out", receiver(t, nil), []*Link{&out, &other}, []time.Duration{51 * ms, 11 * ms}, 40 * ms, 62 * ms},
	} {
		got := arrivals(t, x.e, x.from...)
		for i := range got {
			if got[i] != x.want[i] {
				t.Errorf("%s: transfer %d ends at %v, want %v", x.what, i, got[i], x.want[i])
			}
		}
		s := x.e.Stats()
		if s.Transfers != int64(len(got)) || s.TransferWait != x.wait || s.TransferTime != x.took {
			t.Errorf("%s: %d transfers, %v, %v waited", x.what, s.Transfers, s.TransferTime, s.TransferWait)
		}
	}
	if in.Busy() != 40*ms || out.Busy() != 20*ms || other.Busy() != 10*ms {
		t.Errorf("links were busy for %v, %v and %v", in.Busy(), out.Busy(), other.Busy())
	}
}

// What is in the cache of the worker already does not travel, and holds no link.
func TestNothingToTransfer(t *testing.T) {
	var in Link
	e := receiver(t, &in)
	var blocks []uint64
	for i := range 15 {
		blocks = append(blocks, uint64(i+1))
	}
	for id := range 2 {
		r := Request{ID: uint64(id), PromptTokens: 15 * 64, MaxTokens: 2, Blocks: blocks}
		if err := e.Submit(time.Duration(id)*time.Second, r); err != nil {
			t.Fatal(err)
		}
		e.Step(time.Duration(id+1) * time.Second)
	}
	if s := e.Stats(); s.Finished != 2 || s.Transfers != 1 || s.TransferredTokens != 960 {
		t.Errorf("%+v", s)
	}
}
