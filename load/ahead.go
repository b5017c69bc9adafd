package load

import (
	"context"
	"sync"
	"time"

	"headway/workload"
)

// Bounds of what is made ahead of a schedule.
const (
	// aheadBytes is about how much memory requests that were made ahead may
	// take: a burst of 5,000 with prompts of 2,000 tokens.
	aheadBytes = 128 << 20
	// lead is the part of the schedule whose requests are made before the clock
	// starts, as far as they fit, and how far before their planned times later
	// ones are made. To make all that fits at once would take the processor from
	// the first sends.
	lead = time.Second
)

// ahead makes the first requests of a schedule's sessions before their time. A
// burst of a trace would otherwise wait for each one's text and body, one after
// the other, and show that as late sends. Later turns hold replies that have
// not come yet and are made when they are sent.
type ahead struct {
	run *run

	mu     sync.Mutex
	change sync.Cond // of anything below
	made   []opening
	bytes  int
	until  time.Duration // planned time of the last one made
	taken  time.Duration // planned time of the last one taken
	ended  bool          // nothing more will be made
}

// startAhead makes openings on a goroutine of its own until ctx ends; wait
// returns when it has ended. The first session was already read.
func (r *run) startAhead(ctx context.Context, first opening) (a *ahead, wait func()) {
	a = &ahead{run: r}
	a.change.L = &a.mu
	var all sync.WaitGroup
	all.Go(func() {
		defer a.end()
		for o, ok := first, true; ok; {
			a.put(ctx, o)
			if ctx.Err() != nil {
				return
			}
			o, ok = r.next(0)
		}
	})
	wakes := context.AfterFunc(ctx, func() {
		a.mu.Lock() // not between another's look and its wait
		defer a.mu.Unlock()
		a.change.Broadcast()
	})
	return a, func() { all.Wait(); wakes() }
}

// readyUp makes what is sent at the beginning, of a schedule as of a burst, and
// collects the garbage of that. A closed loop has no schedule: nil. done ends
// the making and makes the Records of what was not sent.
func (r *run) readyUp(first []opening) (schedule *ahead, done func()) {
	if len(first) == 0 || !first[0].session[0].Timed {
		if r.bursts() {
			r.hush(len(first))
		}
		return nil, func() {}
	}
	r.paced = true
	schedule, wait := r.startAhead(r.stop, first[0])
	r.hush(schedule.lead(r.stop))
	return schedule, func() {
		wait()
		for o, ok := schedule.next(); ok; o, ok = schedule.next() {
			r.unsent(o, 0)
			r.queue.settle()
		}
	}
}

// put makes the first request of a session and waits while what is made takes
// too much memory or comes much later than what is sent. One is always made,
// however large it is and whenever it is due.
func (a *ahead) put(ctx context.Context, o opening) {
	s := o.session
	if ctx.Err() == nil {
		o.ready = a.run.makeReady(s[0])
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made = append(a.made, o)
	a.bytes += weight(s)
	a.until = max(a.until, s[0].At)
	a.change.Broadcast()
	for (a.bytes > aheadBytes || a.until > a.taken+lead) && len(a.made) > 0 && ctx.Err() == nil {
		a.change.Wait()
	}
}

func (a *ahead) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.change.Broadcast()
}

// next takes the next opening, and waits until it is made; false at the end.
func (a *ahead) next() (opening, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.made) == 0 && !a.ended {
		a.change.Wait()
	}
	if len(a.made) == 0 {
		return opening{}, false
	}
	o := a.made[0]
	a.made[0] = opening{}
	a.made = a.made[1:]
	a.bytes -= weight(o.session)
	a.taken = max(a.taken, o.session[0].At)
	a.change.Broadcast()
	return o, true
}

// lead waits until the requests of the schedule's beginning are made, as many
// as there is memory for, and returns their number.
func (a *ahead) lead(ctx context.Context) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.until < lead && a.bytes <= aheadBytes && !a.ended && ctx.Err() == nil {
		a.change.Wait()
	}
	return len(a.made)
}

// weight is about what a session takes in memory once its first request is
// made: every text, once more as the first one's body, and the room for a
// reply.
func weight(s []workload.Request) int {
	n := 0
	for i := range s {
		size := textBytes(&s[i].Prompt)
		if n += 1<<10 + size; i == 0 {
			n += size + 72*min(s[i].OutputTokens, 4096)
		}
	}
	return n
}

func textBytes(p *workload.Prompt) int {
	n := len(p.Text) + len(p.System) + len(p.Payload)
	for _, m := range p.Messages {
		n += len(m.Content) + len(m.Raw)
	}
	return n
}
