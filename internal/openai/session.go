package openai

import (
	"net/http"
	"sync"

	"headway/workload"
)

// session is a conversation under way. Turns follow each other unless their
// times are given; one that does not wait for the reply before it is sent with
// what is known then.
type session struct {
	id  string
	url int

	mu sync.Mutex
	// system is the system message of its first turn, history what was said
	// since, the replies included.
	system  string
	history []workload.Message
	// transport is the target's, or its own where connections are not shared.
	transport *http.Transport
}

// before returns the system message and what was said since. A caller that
// appends to the history gets a copy.
func (s *session) before() (system string, history []workload.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.system, s.history[:len(s.history):len(s.history)]
}

// say adds a turn that was answered.
func (s *session) say(system string, turn []workload.Message, reply workload.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.system = system
	s.history = append(append(s.history, turn...), reply)
}

type sessionKey struct {
	phase workload.Phase
	name  string
}

// sessions are the conversations that have another turn to come.
type sessions struct {
	mu   sync.Mutex
	next int
	open map[sessionKey]*session
}

// enter finds the session of r, or begins it with what begin makes of its
// number, counted in the order of their starts.
func (s *sessions) enter(r *workload.Request, begin func(n int) *session) *session {
	key := sessionKey{r.Phase, r.Session}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.open[key]; x != nil {
		return x
	}
	x := begin(s.next)
	s.next++
	if r.Turn < r.Turns-1 {
		s.open[key] = x
	}
	return x
}

// leave lets a session go.
func (s *sessions) leave(key sessionKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, key)
}

// clear lets all sessions go and returns them.
func (s *sessions) clear() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*session
	for _, x := range s.open {
		all = append(all, x)
	}
	s.open = make(map[sessionKey]*session)
	return all
}
