package cluster

import (
	"testing"
	"time"

	"headway/internal/engine"
)

// Between the batches of a step's tokens the thread takes on what has come: here a
// request whose tokenizer occupies it.
func TestTokensAreWrittenInBatches(t *testing.T) {
	d := &desk{all: true, cost: APIServer{Write: time.Millisecond, Tokenize: time.Millisecond, Inline: true, Batch: 2}}
	step := make([]engine.Event, 4)
	for i := range step {
		step[i] = engine.Event{ID: uint64(i), Kind: engine.Token, Token: 2}
	}
	d.collect(0, step)
	if err := d.advance(0, nil); err != nil {
		t.Fatal(err)
	}
	d.accept(time.Millisecond, &job{tokens: 10})
	submitted := time.Duration(0)
	submit := func(at time.Duration, _ *job) error {
		submitted = at
		return nil
	}
	if err := d.advance(time.Second, submit); err != nil {
		t.Fatal(err)
	}
	var times []time.Duration
	for _, e := range d.written(time.Second) {
		times = append(times, e.At/time.Millisecond)
	}
	if len(times) != 4 || times[1] != 2 || times[3]-times[2] != 1 {
		t.Errorf("written at %v ms", times)
	}
	if submitted == 0 {
		t.Error("the request did not reach the worker")
	}
}

// A thread that always has something to write does not remember all that it wrote.
func TestWrittenTokensAreForgotten(t *testing.T) {
	d := &desk{all: true, cost: APIServer{Write: time.Millisecond}}
	step := make([]engine.Event, 8)
	for i := range step {
		step[i] = engine.Event{ID: uint64(i), Kind: engine.Token, Token: 2}
	}
	handed, most := 0, 0
	for i := range 1000 {
		now := time.Duration(8*i) * time.Millisecond
		d.collect(now, step)
		if err := d.advance(now, nil); err != nil {
			t.Fatal(err)
		}
		handed += len(d.written(now + 4*time.Millisecond))
		most = max(most, len(d.out))
	}
	if handed != 8*1000-4 || most > 4*len(step) {
		t.Errorf("%d tokens were handed on, and %d remembered", handed, most)
	}
}
