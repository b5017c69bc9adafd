package cluster

import (
	"container/heap"
	"time"

	"headway/workload"
)

// session is a conversation of the plan, on its way.
type session struct {
	turns   []workload.Request
	turn    int           // the next one, or the one in flight
	planned time.Duration // of that turn
	talk    conversation
}

// goesOn says whether the next turn begins with what is said up to now and with the
// reply. One that holds its history itself need not.
func (s *session) goesOn() bool {
	if s.turn+1 >= len(s.turns) {
		return false
	}
	next := &s.turns[s.turn+1]
	return next.Turn > 0 && !next.Prompt.Whole && next.Prompt.Payload == nil
}

// sessions reads a Source, session by session.
type sessions struct {
	pull  func() (workload.Request, error, bool)
	ahead *workload.Request // the first of the next session
	err   error
}

// next is the next session, or nil at the end. An error of the Source comes
// after the sessions before it.
func (s *sessions) next() (*session, error) {
	if s.err != nil {
		return nil, s.err
	}
	x := &session{}
	if s.ahead != nil {
		x.turns = append(x.turns, *s.ahead)
		s.ahead = nil
	}
	for len(x.turns) == 0 || x.turns[len(x.turns)-1].Turn != x.turns[0].Turns-1 {
		req, err, ok := s.pull()
		if err != nil {
			s.err = err
		}
		if !ok || err != nil {
			break
		}
		if len(x.turns) > 0 && req.Session != x.turns[0].Session {
			s.ahead = &req
			break
		}
		x.turns = append(x.turns, req)
	}
	if len(x.turns) == 0 {
		return nil, s.err
	}
	return x, nil
}

// gate bounds how many pass at a time. The bound may rise linearly from 1.
type gate struct {
	limit int // 0 is none
	ramp  time.Duration
	used  int
}

func newGate(limit int, ramp time.Duration) gate { return gate{limit: limit, ramp: ramp} }

// open is the bound at a time: place i is there from ramp·i/(limit−1) on.
func (g *gate) open(now time.Duration) int {
	if g.ramp <= 0 || now >= g.ramp || g.limit <= 1 {
		return g.limit
	}
	n := 1 + int(float64(now)/float64(g.ramp)*float64(g.limit-1))
	for n < g.limit && g.opens(n) <= now {
		n++
	}
	for n > 1 && g.opens(n-1) > now {
		n--
	}
	return n
}

// opens is when place i is there, from 0.
func (g *gate) opens(i int) time.Duration {
	return g.ramp * time.Duration(i) / time.Duration(g.limit-1)
}

// arm sets a timer for each place that is still to open.
func (g *gate) arm(r *replay, kind timerKind) {
	if g.ramp > 0 {
		for i := 1; i < g.limit; i++ {
			r.at(g.opens(i), timer{kind: kind})
		}
	}
}

func (g *gate) take(now time.Duration) bool {
	if g.limit > 0 && g.used >= g.open(now) {
		return false
	}
	g.used++
	return true
}

func (g *gate) give() { g.used-- }

// timerKind is what is to be done at a time; at one instant in this order.
type timerKind uint8

const (
	timeKill     timerKind = iota // give up what is in flight
	timeStop                      // send nothing more
	timeCancel                    // drop a request, as planned
	timeArrive                    // a request is at the router
	timeTurn                      // send a session's next turn
	timeGate                      // let who waits prefill
	timeDispatch                  // start sessions
)

// timer is something to be done at a time.
type timer struct {
	at      time.Duration
	kind    timerKind
	seq     uint64 // of equals, the first one set goes first
	id      uint64
	session *session
}

// timerQueue is a heap of timers.
type timerQueue []timer

func (q timerQueue) Len() int { return len(q) }

func (q timerQueue) Less(i, j int) bool {
	a, b := &q[i], &q[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.kind != b.kind {
		return a.kind < b.kind
	}
	return a.seq < b.seq
}

func (q timerQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *timerQueue) Push(x any) { *q = append(*q, x.(timer)) }

// Pop is heap.Interface's.
func (q *timerQueue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = timer{}
	*q = (*q)[:last]
	return t
}

func (q *timerQueue) push(t timer) { heap.Push(q, t) }

func (q *timerQueue) pop() timer { return heap.Pop(q).(timer) }
