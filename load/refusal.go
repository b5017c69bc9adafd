package load

import (
	"fmt"
	"net/http"
	"sync"

	"headway/record"
)

// fewRefusals is how many refusals in a row end a run at the least.
const fewRefusals = 5

// refusals watches for an endpoint that takes nothing: a wrong path, a wrong
// model, a key that is none. Each of these fails the next request as it failed
// the last, so that the rest of the plan would only say so again.
//
// A run ends when as many requests in a row failed alike as there were in flight
// twice over at the first of them, and at least five. Fewer would not do: where
// one of several servers behind an address refuses, its answers are there long
// before the replies of the others.
type refusals struct {
	mu       sync.Mutex
	answered bool // a request was
	last     string
	n, limit int
}

// saw notes how a request ended and says why the run is to end; empty where it
// goes on. flying is how many requests are in flight now.
func (f *refusals) saw(r *record.Record, flying int64) (why string) {
	if r.Outcome != record.OK && r.Outcome != record.Failed {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answered = f.answered || r.Outcome == record.OK
	kind := refusal(r.Failure, f.answered)
	switch {
	case kind == "":
		f.last, f.n = "", 0
		return ""
	case kind != f.last:
		f.last, f.n, f.limit = kind, 0, max(fewRefusals, 2*int(flying+1))
	}
	if f.n++; f.n != f.limit {
		return ""
	}
	return fmt.Sprintf("the endpoint refuses the requests, %d in a row with %s", f.n, r.Failure.Described())
}

// refusal names a failure that later requests cannot escape, so that equal ones
// have equal names; empty for one that may pass, as 429 and 503 do. What is
// wrong with a request's body may be its own, so that those count only while
// nothing was answered, and with the same words.
func refusal(f *record.Failure, answered bool) string {
	switch {
	case f == nil:
		return ""
	case f.Class == record.ClassHTTP, f.Class == record.ClassTLS:
		return string(f.Class) + f.Message
	case f.Class != record.ClassHTTP4:
		return ""
	}
	switch f.Code {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusGone:
		return fmt.Sprint(f.Code)
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked, http.StatusTooEarly,
		http.StatusTooManyRequests:
		return ""
	}
	if answered {
		return ""
	}
	return fmt.Sprint(f.Code) + f.Message
}
