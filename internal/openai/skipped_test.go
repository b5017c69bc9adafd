package openai

import "testing"

func TestSkippedChunksAreCounted(t *testing.T) { overBoth(t, testSkippedChunksAreCounted) }

func testSkippedChunksAreCounted(t *testing.T, via string) {
	for reply, want := range map[string]int{
		chunk("a") + chunk("b") + endMarker:                                0,
		"data: {oops\n\n" + chunk("a") + "data: 17\n\n" + endMarker:        2,
		chunk("a") + finishChunk + "data: {\"cut off at the end\":\n\n: x": 1,
	} {
		target := newTestTarget(t,
			Config{Transport: via, URLs: []string{rawServer(t, script(headSSE+reply))}, Streaming: true})
		if r := ask(t.Context(), target, say("x")); r.Skipped != want || contents(r) == "" {
			t.Errorf("%q: %d chunks skipped, want %d; %v", reply, r.Skipped, want, r.Failure)
		}
	}
}
