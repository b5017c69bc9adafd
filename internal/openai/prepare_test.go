package openai

import (
	"net/http"
	"sync/atomic"
	"testing"

	"headway/record"
)

// What is prepared is sent when it is started and not before, and one that
// cannot be made fails then.
func TestPrepare(t *testing.T) { overBoth(t, testPrepare) }

func testPrepare(t *testing.T, via string) {
	var asked atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		whole(w, r)
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}})
	for _, bad := range []bool{false, true} {
		tape := record.NewTape(record.NewClock(), record.Record{}, nil)
		done := make(chan struct{})
		req := say("x")
		req.Session, req.Turns = "s", 1
		if bad {
			req.Extra = []byte(`{`)
		}
		start := target.Prepare(req, tape, func() { close(done) })
		begun := tape.Clock.Now()
		if n := asked.Load(); n > 1 || !bad && n != 0 {
			t.Errorf("%d requests came before one was started", n)
		}
		start(t.Context())
		<-done
		if bad != (tape.Outcome == record.Failed) || tape.Start < begun || tape.Done < tape.Start {
			t.Errorf("bad %v: %v %+v, prepared by %d, started %d, done %d", bad, tape.Outcome, tape.Failure, begun,
				tape.Start, tape.Done)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests were sent", n)
	}
	// What is prepared and never started keeps nothing from being closed.
	target.Prepare(say("never"), record.NewTape(record.NewClock(), record.Record{}, nil), func() { t.Error("ended") })
}
