package engine

import (
	"time"

	"pgregory.net/rapid"
)

// checkLife follows every request through its events.
func checkLife(t *rapid.T, cfg Config, in []arrival, events []Event) {
	tokens, ended := map[uint64]int{}, map[uint64]Kind{}
	running := map[uint64]bool{}
	for _, a := range in {
		if cfg.Role == DecodeOnly {
			tokens[a.R.ID] = 1
		}
	}
	var last time.Duration
	for _, ev := range events {
		if ev.At < last {
			t.Fatalf("events run backwards: %v after %v", ev, last)
		}
		last = ev.At
		if _, over := ended[ev.ID]; over {
			t.Fatalf("%v after the request had ended", ev)
		}
		if ev.Kind == Token {
			tokens[ev.ID]++
		}
		if ev.Token != tokens[ev.ID] {
			t.Fatalf("%v: %d tokens came", ev, tokens[ev.ID])
		}
		if running[ev.ID] == (ev.Kind == Admitted) && ev.Kind != Cancelled {
			t.Fatalf("%v: running is %v", ev, running[ev.ID])
		}
		running[ev.ID] = ev.Kind == Admitted || ev.Kind == Token
		switch ev.Kind {
		case Finished, Cancelled, HandedOver:
			ended[ev.ID] = ev.Kind
		}
	}
	checkEnds(t, cfg, in, tokens, ended)
}

func checkEnds(t *rapid.T, cfg Config, in []arrival, tokens map[uint64]int, ended map[uint64]Kind) {
	mayCancel := map[uint64]bool{}
	for _, a := range in {
		mayCancel[a.R.ID] = mayCancel[a.R.ID] || a.Cancel
	}
	for _, a := range in {
		end, over := ended[a.R.ID]
		switch {
		case !over:
			t.Fatalf("request %d never ended", a.R.ID)
		case end == Finished && tokens[a.R.ID] != a.R.MaxTokens:
			t.Fatalf("request %d got %d tokens, want %d", a.R.ID, tokens[a.R.ID], a.R.MaxTokens)
		case end == HandedOver && (cfg.Role != PrefillOnly || tokens[a.R.ID] != 1 || a.R.MaxTokens == 1):
			t.Fatalf("request %d was handed over with %d tokens of %d", a.R.ID, tokens[a.R.ID], a.R.MaxTokens)
		case end == Cancelled && !mayCancel[a.R.ID]:
			t.Fatalf("request %d was cancelled by nobody", a.R.ID)
		}
	}
}

// byTimeAndID keeps the order of each request's events.
func byTimeAndID(a, b Event) int {
	if a.At != b.At {
		return int(a.At - b.At)
	}
	return int(a.ID) - int(b.ID)
}

// restore puts in the tokens that were left out.
func restore(events []Event, ticks []time.Duration) []Event {
	var all []Event
	last := map[uint64]Event{} // the token that was told of, since the admission
	for _, ev := range events {
		if from, ok := last[ev.ID]; ok {
			for k := from.Token; k < ev.Token; k++ {
				all = append(all, Event{At: ticks[from.Tick+int64(k-from.Token)], ID: ev.ID, Kind: Token, Token: k + 1})
			}
		}
		delete(last, ev.ID)
		if ev.Kind == Token {
			last[ev.ID] = ev
		}
		ev.Tick = 0
		all = append(all, ev)
	}
	return all
}

// checkState compares what the engine counts with what its sequences hold.
func checkState(t *rapid.T, e *Engine) {
	held := 0
	users := map[int32]int32{}
	context := 0
	waiting := 0
	private := 0
	for s := e.running.first; s != nil; s = s.next {
		own := s.private
		if s.phase == decodes {
			context += s.req.PromptTokens + e.tokens(s)
			own = e.cfg.blocksFor(s.req.PromptTokens+s.base+int(e.dec.started)-1+e.rules.ahead) - len(s.held)
		}
		private += own
		held += own + len(s.held)
		for _, i := range s.held {
			users[i]++
		}
		if (own+len(s.held))*e.cfg.BlockSize < s.computed {
			t.Fatalf("request %d has %d tokens in %d blocks", s.req.ID, s.computed, own+len(s.held))
		}
	}
	e.waiting.each(func(s *sequence) {
		waiting++
		if len(s.held)+s.private != 0 || s.phase != inQueue {
			t.Fatalf("request %d waits and holds %d blocks", s.req.ID, len(s.held)+s.private)
		}
	})
	for i, n := range users {
		if e.pool.nodes[i].refs != n {
			t.Fatalf("block %d has %d users, %d counted", i, n, e.pool.nodes[i].refs)
		}
	}
	p := &e.pool
	if held != e.holding || private+len(users) != p.active || len(users)+p.inactive != p.named ||
		waiting != e.waiting.len() {
		t.Fatalf("%d blocks held, %d counted; %d in use, %d counted; %d waiting, %d counted", held, e.holding,
			private+len(users), p.active, waiting, e.waiting.len())
	}
	if p.active+p.inactive > p.capacity || e.running.n > e.cfg.MaxNumSeqs || context != e.dec.context {
		t.Fatalf("%d+%d blocks of %d; %d running; context %d, counted %d", p.active, p.inactive, p.capacity,
			e.running.n, context, e.dec.context)
	}
}
