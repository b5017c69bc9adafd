//go:build linux

package lane

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// conversations is a Mooncake trace in which each turn's prompt holds that of the
// turn before.
func conversations(sessions, turns int) string {
	var b strings.Builder
	for turn := range turns {
		for s := range sessions {
			var ids []string
			for block := range turn + 1 {
				ids = append(ids, fmt.Sprint(100*s+block))
			}
			fmt.Fprintf(&b, `{"session_id":"s%d","timestamp":%d,"input_length":%d,"output_length":16,`+
				`"hash_ids":[%s]}`+"\n", s, 10*turn, 512*(turn+1), strings.Join(ids, ","))
		}
	}
	return b.String()
}

// pausing is a trace of conversations whose turns add one to four blocks each, with
// replies and pauses of different lengths, so that they do not walk in step.
func pausing(sessions, turns int) string {
	draw, next := rand.New(rand.NewPCG(3, 0)), 0
	ids := make([][]string, sessions)
	var b strings.Builder
	for turn := range turns {
		for s := range sessions {
			for range 1 + draw.IntN(4) {
				ids[s] = append(ids[s], fmt.Sprint(next))
				next++
			}
			pause, reply := min(turn, 1)*(50+draw.IntN(200)), 20+draw.IntN(40)
			fmt.Fprintf(&b, `{"session_id":"s%d","timestamp":%d,"delay":%d,"input_length":%d,"output_length":%d,`+
				`"hash_ids":[%s]}`+"\n", s, 10*turn, pause, 512*len(ids[s]), reply, strings.Join(ids[s], ","))
		}
	}
	return b.String()
}

// sharedSessions are rows of a single_turn file, turns of one conversation each.
func sharedSessions(sessions, turns int) string {
	var b strings.Builder
	for turn := range turns {
		for s := range sessions {
			fmt.Fprintf(&b, `{"session_id":"s%d","text":"turn %d of conversation %d"}`+"\n", s, turn, s)
		}
	}
	return b.String()
}
