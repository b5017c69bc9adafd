package cluster

import (
	"errors"
	"time"

	"headway/internal/engine"
	"headway/internal/fault"
)

// APIServer is the process in front of each worker that takes requests, makes
// tokens of text, and writes tokens to clients: vLLM's API server, SGLang's
// tokenizer manager. It has one thread, so whatever it does for one request
// delays all others, on their way in and on their way out. The times are of
// that thread unless said otherwise.
//
// Without this stage a simulated closed loop loses the waves that a real one
// has, and waiting for the first token appears in the gaps between tokens.
type APIServer struct {
	// Accept is for a request that has come.
	Accept time.Duration
	// Turn is one turn of the event loop. A request needs TurnsIn of them before
	// the tokenizer and TurnsOn after it, and a step's tokens TurnsOut before they
	// are written.
	Turn                       time.Duration
	TurnsIn, TurnsOn, TurnsOut int
	// Tokenize is for one token of a prompt, in a thread of its own that takes
	// one prompt after the other, or with Inline in the one of everything else.
	Tokenize time.Duration
	Inline   bool
	// LateHead keeps the head of a reply back until its first token is written.
	LateHead bool
	// Prepare is a wait after the tokenizer, and Submit one from the reply's head
	// to the worker; neither holds up others.
	Prepare, Submit time.Duration
	// Collect is a wait from the end of a worker's step until its tokens are here.
	Collect time.Duration
	// Detokenize is for each token of a step before the first of them is written,
	// Write for each as it is written (drafts that came with it are written with it),
	// First more for the first of a reply, and Close for the end of one.
	Detokenize, Write, First, Close time.Duration
	// Batch is how many tokens of a step are written before the thread turns to
	// what else is ready, such as requests that have come in the meantime; 0 is
	// all. A wave of replies that end together is torn apart by it.
	Batch int
}

func (a *APIServer) validate() error {
	if a == nil {
		return nil
	}
	var bad fault.List
	for _, d := range []struct {
		name fault.Field
		d    time.Duration
	}{
		{"accept", a.Accept}, {"turn", a.Turn}, {"tokenize", a.Tokenize}, {"prepare", a.Prepare}, {"submit", a.Submit},
		{"collect", a.Collect}, {"detokenize", a.Detokenize}, {"write", a.Write}, {"first", a.First},
		{"close", a.Close},
	} {
		bad.Check(d.d >= 0, d.name, d.d, "0 or more")
	}
	bad.Check(a.Batch >= 0, "batch", a.Batch, "0 or more")
	if min(a.TurnsIn, a.TurnsOn, a.TurnsOut) < 0 || a.TurnsIn+a.TurnsOn+a.TurnsOut > 100 {
		bad.Join(errors.New("turns of the API server: must be from 0 to 100"))
	}
	return bad.Err()
}

// desk is the API server of one worker at work.
type desk struct {
	cost      APIServer
	all       bool          // somebody wants to hear of each token when it comes
	thread    time.Duration // until when it is busy
	tokenizer time.Duration
	due       tasks
	seq       uint64
	out       []engine.Event // written, in order of time
	read      int            // of them, handed on
	spare     []*task        // to be used again
}

func (d *desk) add(t *task) {
	t.seq = d.seq
	d.seq++
	d.due.push(t)
}

// work occupies the thread from now for so long, after what it has to do already.
func (d *desk) work(now, span time.Duration) time.Duration {
	d.thread = max(d.thread, now) + span
	return d.thread
}

// accept takes a request in.
func (d *desk) accept(now time.Duration, j *job) {
	t := d.task(d.work(now, d.cost.Accept), stageIn, d.cost.TurnsIn)
	t.job = j
	d.add(t)
}

// collect takes the tokens of a step.
func (d *desk) collect(now time.Duration, events []engine.Event) {
	t := d.task(now+d.cost.Collect, stageOut, d.cost.TurnsOut)
	t.step = append(t.step, events...)
	d.add(t)
}

// task is one to be filled in.
func (d *desk) task(at time.Duration, s stage, turns int) *task {
	t := &task{}
	if n := len(d.spare); n > 0 {
		t, d.spare = d.spare[n-1], d.spare[:n-1]
	}
	*t = task{at: at, stage: s, turns: turns, step: t.step[:0]}
	return t
}

// advance does what is due by now, and calls submit with each request that
// reaches the worker.
func (d *desk) advance(now time.Duration, submit func(time.Duration, *job) error) error {
	d.forget()
	for len(d.due) > 0 && d.due[0].at <= now {
		t := d.due.pop()
		switch {
		case t.turns > 0:
			t.turns--
			t.at = d.work(t.at, d.cost.Turn)
			d.add(t)
		case t.stage == stageOut:
			d.write(t)
		case t.stage == stageSubmit:
			d.spare = append(d.spare, t)
			if err := submit(t.at, t.job); err != nil {
				return err
			}
		case t.stage == stageIn:
			t.at, t.stage, t.turns = d.tokenize(t.at, t.job.tokens)+d.cost.Prepare, stageOn, d.cost.TurnsOn
			d.add(t)
		default:
			if !d.cost.LateHead {
				t.job.ack = t.at
			}
			t.at, t.stage = t.at+d.cost.Submit, stageSubmit
			d.add(t)
		}
	}
	return nil
}

// tokenize is when a prompt has been made into tokens.
func (d *desk) tokenize(now time.Duration, tokens int) time.Duration {
	span := time.Duration(tokens) * d.cost.Tokenize
	if d.cost.Inline {
		return d.work(now, span)
	}
	d.tokenizer = max(d.tokenizer, now) + span
	return d.tokenizer
}

// write puts a step's tokens out, one after the other, a batch at a time.
func (d *desk) write(t *task) {
	at := t.at
	if !t.begun {
		at = d.work(at, time.Duration(tokensOf(t.step))*d.cost.Detokenize)
		t.begun = true
	}
	at = max(at, d.thread)
	left := d.cost.Batch // 0: all
	for ; t.from < len(t.step); t.from++ {
		e := &t.step[t.from]
		for n := tokensIn(e); n > 0; {
			if d.cost.Batch > 0 && left == 0 {
				d.turn(t, at)
				return
			}
			part := n
			if d.cost.Batch > 0 {
				part = min(n, left)
			}
			at += time.Duration(part) * d.cost.Write
			n, left = n-part, left-part
			if e.Kind == engine.Tokens {
				e.Token = n
			}
		}
		at = d.put(e, at)
	}
	d.thread = at
	d.spare = append(d.spare, t)
}

// turn leaves the rest of a step until the thread has seen to what else is ready.
func (d *desk) turn(t *task, at time.Duration) {
	d.thread = at
	t.at, t.turns = d.work(at, d.cost.Turn), 0
	d.add(t)
}

// put hands an event out whose tokens have just been written, and returns when the
// thread is through with it.
func (d *desk) put(e *engine.Event, at time.Duration) time.Duration {
	switch e.Kind {
	case engine.Tokens:
		return at // of nobody who waits for them
	case engine.Finished:
		at += d.cost.Close
	}
	e.At = at
	d.out = append(d.out, *e)
	if e.Kind == engine.Token && e.Token == 1 {
		at += d.cost.First
	}
	return at
}

// tokensIn is how many tokens an event brings.
func tokensIn(e *engine.Event) int {
	switch e.Kind {
	case engine.Token:
		return 1
	case engine.Tokens:
		return e.Token
	}
	return 0
}

// tokensOf counts the tokens among events.
func tokensOf(step []engine.Event) int {
	n := 0
	for i := range step {
		n += tokensIn(&step[i]) + step[i].Drafted
	}
	return n
}

// written is what was put out by now and not handed on yet.
func (d *desk) written(now time.Duration) []engine.Event {
	from := d.read
	for d.read < len(d.out) && d.out[d.read].At <= now {
		d.read++
	}
	done := d.out[from:d.read]
	if d.read == len(d.out) {
		d.out, d.read = d.out[:0], 0
	}
	return done
}

// forget gives room free that written events hold: a thread that is never idle has
// something to hand on at any time, so the list would never be empty.
func (d *desk) forget() {
	if d.read > len(d.out)/2 {
		d.out = append(d.out[:0], d.out[d.read:]...)
		d.read = 0
	}
}

// next is when there is something to do or to hand on. A token between the first
// and the last of a reply can wait until somebody looks.
func (d *desk) next() (time.Duration, bool) {
	at, ok := time.Duration(0), false
	if len(d.due) > 0 {
		at, ok = d.due[0].at, true
	}
	for i := d.read; i < len(d.out); i++ {
		e := &d.out[i]
		if ok && e.At >= at {
			break
		}
		if d.all || e.Kind != engine.Token || e.Token == 1 {
			return e.At, true
		}
	}
	return at, ok
}

// stepBehind advances a worker behind its API server.
func (f *fleet) stepBehind(m *member, at time.Duration, see func(*job, engine.Event)) error {
	if err := m.desk.advance(at, func(at time.Duration, j *job) error { return f.reach(at, j, m) }); err != nil {
		return err
	}
	events, next, busy := m.eng.Step(at)
	out := m.step[:0]
	for _, e := range events {
		if e.Kind != engine.Admitted && e.Kind != engine.Cancelled {
			out = append(out, e)
			continue
		}
		if err := f.hand(m, e, see); err != nil {
			return err
		}
	}
	if m.step = out; len(out) > 0 {
		m.desk.collect(at, out)
	}
	if err := f.catchUp(m, at, see); err != nil {
		return err
	}
	if then, more := m.desk.next(); more && (!busy || then < next) {
		next, busy = then, true
	}
	if busy {
		f.due.set(m, next)
	} else {
		f.due.remove(m)
	}
	return nil
}

// reach submits a request to its worker, unless it was given up on its way.
func (f *fleet) reach(at time.Duration, j *job, m *member) error {
	if f.jobs[j.id] != j {
		return nil
	}
	return m.eng.Submit(at, f.request(j))
}

// catchUp hands on what a worker's API server has put out by now.
func (f *fleet) catchUp(m *member, at time.Duration, see func(*job, engine.Event)) error {
	if m.desk == nil {
		return nil
	}
	for _, e := range m.desk.written(at) {
		if err := f.hand(m, e, see); err != nil {
			return err
		}
	}
	return nil
}
