package openai

import (
	"runtime"
	"testing"
	"time"

	"headway/internal/wire"
	"headway/record"
)

// Every read that has the kernel's time is counted with its delay, whatever
// carries it.
func TestReadLags(t *testing.T) {
	if runtime.GOOS != "linux" || !wire.HasPool {
		t.Skip("no kernel receive timestamps on this system")
	}
	leaks(t)
	for _, via := range []string{TransportStd, TransportEpoll} {
		url := steps(t,
			[][]string{{headChunked, chunked(chunk("a")), chunked(chunk("b")), chunked(finishChunk + endMarker),
				"0\r\n\r\n"}})
		target := newTestTarget(t, Config{Transport: via, URLs: []string{url}, Streaming: true})
		for range target.ReadLags() {
			t.Errorf("%s: something was read before anything was sent", via)
		}
		began := time.Now()
		r := ask(t.Context(), target, say("x"))
		if r.Outcome != record.OK {
			t.Fatalf("%s: %v", via, r.Failure)
		}
		took := time.Since(began)
		var reads, stamped int64
		for _, a := range r.Arrivals {
			if !a.Coalesced && !a.UserspaceStamp {
				stamped++
			}
		}
		for lag, n := range target.ReadLags() {
			reads += n
			if lag > took+took/16 {
				t.Errorf("%s: data lay in the kernel for %v of a request that took %v", via, lag, took)
			}
		}
		if reads < stamped {
			t.Errorf("%s: %d reads were counted, and %d arrivals have the kernel's time", via, reads, stamped)
		}
	}
}
