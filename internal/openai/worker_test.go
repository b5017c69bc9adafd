package openai

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"headway/record"
	"headway/workload"
)

// The worker that a reply's head names stands in the Record, whatever carried
// the request.
func TestWorkerOfTheReply(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Worker-Id", "7")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"hi"}}]}`)
	}))
	defer srv.Close()
	for _, transport := range []string{TransportAuto, TransportStd} {
		target, err := NewTarget(Config{URLs: []string{srv.URL}, Models: []string{"m"}, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		tape, done := record.NewTape(record.NewClock(), record.Record{}, nil), make(chan struct{})
		target.Start(t.Context(), workload.Request{Session: "s", Turns: 1, Prompt: workload.Prompt{Text: "hello"}},
			tape, func() { close(done) })
		<-done
		if tape.Worker != "7" || tape.Outcome != record.OK {
			t.Errorf("%s: worker %q, %v (%v)", transport, tape.Worker, tape.Outcome, tape.Failure)
		}
		target.Close()
	}
}
