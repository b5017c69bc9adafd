package prompt

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"headway/workload"
)

func TestFill(t *testing.T) {
	tok := builtin(t)
	m := New(tok)
	got, err := m.Fill(workload.Request{Prompt: workload.Prompt{
		Tokens: 40, Key: 5, Prefix: workload.Prefix{Key: 6, Tokens: 12}, SystemKey: 7, SystemTokens: 9,
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := got.Prompt
	if p.Tokens != 0 || p.Prefix.Tokens != 0 || p.SystemTokens != 0 || p.Planned != 61 || p.Length() != 61 ||
		tok.Count(p.Text) != 52 || tok.Count(p.System) != 9 {
		t.Errorf("filled: %+v", p)
	}
	again, err := m.Fill(got)
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("a second Fill changes it: %+v, %v", again, err)
	}

	given := workload.Request{Prompt: workload.Prompt{Text: "hi", Reference: " one two three"}}
	if got, err := m.Fill(given); err != nil || got.OutputTokens != 3 || got.Prompt.Reference != "" ||
		got.Prompt.Text != "hi" {
		t.Errorf("reference: %+v, %v", got, err)
	}
	given.OutputTokens = 8
	if got, err := m.Fill(given); err != nil || got.OutputTokens != 8 {
		t.Errorf("a length that is given is changed: %+v, %v", got, err)
	}
	for _, p := range []workload.Prompt{{Messages: []workload.Message{{Role: "user"}}}, {Payload: []byte("{}")}} {
		r := workload.Request{Prompt: p}
		if got, err := m.Fill(r); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v becomes %+v, %v", r, got, err)
		}
	}
	_, err = m.Fill(workload.Request{Index: 3, Session: "s"})
	if err == nil || !strings.Contains(err.Error(), "request 3 (session s, turn 0): the prompt has neither") {
		t.Errorf("an empty prompt: %v", err)
	}
	r := workload.Request{Prompt: workload.Prompt{Tokens: 900, Blocks: []int64{1, 2}, BlockSize: 512,
		BlockKey: 4, Whole: true}}
	want, err := m.Blocks(r.Prompt)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Fill(r); err != nil || !reflect.DeepEqual(got.Prompt,
		workload.Prompt{Text: want, Whole: true, Planned: 900}) || tok.Count(want) != 900 {
		t.Errorf("blocks: %+v, %v", got, err)
	}
}

func synthetic(n int) workload.Source {
	return workload.Synthetic{
		Key: workload.Seed(4), Requests: n,
		ISL: workload.Length{Mean: 50, SD: 30}, OSL: workload.Length{Mean: 5},
	}.Source()
}

func TestAhead(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := New(builtin(t))
	var want []workload.Request
	for r := range synthetic(300) {
		filled, err := m.Fill(r)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, filled)
	}
	for _, cpus := range []int{1, 4} {
		old := runtime.GOMAXPROCS(cpus)
		for _, depth := range []int{0, 1, 7, 1000} {
			var got []workload.Request
			for r, err := range Ahead(t.Context(), synthetic(300), m, depth) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d CPUs, depth %d: not the requests in their order", cpus, depth)
			}
		}
		runtime.GOMAXPROCS(old)
	}
}

// TestAheadStops checks every way in which a sequence ends early; goleak finds a
// goroutine that goes on.
func TestAheadStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := New(builtin(t))
	endless := synthetic(0)

	n := 0
	for _, err := range Ahead(t.Context(), endless, m, 16) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 50 {
			break
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	var last error
	for _, err := range Ahead(ctx, endless, m, 16) {
		if n++; n == 20 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || n < 20 || n > 40 {
		t.Errorf("cancelled after 20 requests: %d, then %v", n, last)
	}

	bad := errors.New("bad")
	failing := func(yield func(workload.Request, error) bool) {
		for r := range workload.Limit(endless, 5) {
			if !yield(r, nil) {
				return
			}
		}
		yield(workload.Request{}, bad)
	}
	n = 0
	for _, err := range Ahead(t.Context(), failing, m, 2) {
		n++
		last = err
	}
	if n != 6 || !errors.Is(last, bad) {
		t.Errorf("a failing source: %d items, then %v", n, last)
	}

	impossible := func(yield func(workload.Request, error) bool) {
		_ = yield(workload.Request{Prompt: workload.Prompt{Text: "a"}}, nil) && yield(workload.Request{}, nil) &&
			yield(workload.Request{Prompt: workload.Prompt{Text: "b"}}, nil)
	}
	n = 0
	for _, err := range Ahead(t.Context(), impossible, m, 8) {
		n++
		last = err
	}
	if n != 2 || last == nil {
		t.Errorf("a prompt that cannot be made: %d items, then %v", n, last)
	}
}

// TestAheadIsBounded checks that no more than depth requests are taken ahead,
// the ones in hand apart.
func TestAheadIsBounded(t *testing.T) {
	taken := make(chan int, 1000)
	src := func(yield func(workload.Request, error) bool) {
		for i := 0; yield(workload.Request{Prompt: workload.Prompt{Text: "a"}}, nil); i++ {
			select {
			case taken <- i:
			default:
				return
			}
		}
	}
	for range Ahead(t.Context(), src, New(builtin(t)), 4) {
		break
	}
	// One was read, four wait, one is on its way into the queue, and at most
	// one more was taken before the end was noticed.
	if n := len(taken); n > 7 {
		t.Errorf("%d requests taken for one that was read, at depth 4", n)
	}
}

func BenchmarkAhead(b *testing.B) {
	m := New(builtin(b))
	for b.Loop() {
		for range Ahead(b.Context(), synthetic(1000), m, 64) {
		}
	}
}
