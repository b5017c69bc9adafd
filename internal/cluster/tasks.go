package cluster

import (
	"time"

	"headway/internal/engine"
)

// task is what the API server has to do at some time: the next station of a
// request on its way in, or a step's tokens.
type task struct {
	at    time.Duration
	seq   uint64
	job   *job
	stage stage
	turns int
	step  []engine.Event
	from  int  // of the step's events, the first that is not written
	begun bool // some of it is
}

type stage uint8

const (
	stageIn stage = iota // turns before the tokenizer
	stageOn              // turns after it
	stageSubmit
	stageOut
)

func (t *task) before(o *task) bool { return t.at < o.at || t.at == o.at && t.seq < o.seq }

// tasks is a heap by time, then by order. It is written out because it is the
// innermost loop of a replay behind an API server.
type tasks []*task

func (h *tasks) push(t *task) {
	*h = append(*h, t)
	for i := len(*h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !(*h)[i].before((*h)[parent]) {
			return
		}
		(*h)[i], (*h)[parent] = (*h)[parent], (*h)[i]
		i = parent
	}
}

// pop takes the first out; there must be one.
func (h *tasks) pop() *task {
	q := *h
	first, last := q[0], len(q)-1
	q[0], q[last] = q[last], nil
	q = q[:last]
	*h = q
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && q[child+1].before(q[child]) {
			child++
		}
		if !q[child].before(q[i]) {
			return first
		}
		q[i], q[child] = q[child], q[i]
		i = child
	}
}
