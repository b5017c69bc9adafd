package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headway/record"
)

// TestAccuracyTTFT holds the TTFT of every request, at default options, against
// the server's own: last byte of the request received to the write of the first token. It
// measures with ACCURACY=full, for docs/accuracy.md; nothing in it fails for
// being slow. EXTRA are further options of the client.
func TestAccuracyTTFT(t *testing.T) {
	if os.Getenv("ACCURACY") != "full" {
		t.Skip("set ACCURACY=full, or use make accuracy")
	}
	// Of 500 streams at once on two cores the server fills both for a moment
	// with each wave of first tokens; a batch of 256 is its default.
	for _, load := range []struct{ streams, batch, itl, requests, tokens int }{
		{10, 10, 10, 300, 50}, {100, 100, 10, 500, 50}, {500, 256, 10, 2000, 50}, {500, 500, 10, 2000, 50},
		{1000, 1000, 100, 3000, 30},
	} {
		t.Run(fmt.Sprintf("%d-%d", load.streams, load.batch), func(t *testing.T) {
			bin := program(t)
			log := filepath.Join(t.TempDir(), "sim.jsonl")
			url, stop := serve(t, bin, "--log", log, "--ttft", "50", "--itl", fmt.Sprint(load.itl),
				"--max-num-seqs", fmt.Sprint(load.batch))
			dir := filepath.Join(t.TempDir(), "run")
			args := append([]string{"run", "--url", url, "--model", "simulated", "--tokenizer", "builtin",
				"--streaming", "--random-seed", "1",
				"--artifact-dir", dir, "--ui-type", "none", "--max-lag", "1m", "--isl", "20", "--osl",
				fmt.Sprint(load.tokens),
				"--concurrency", fmt.Sprint(load.streams), "--request-count", fmt.Sprint(load.requests)},
				strings.Fields(os.Getenv("EXTRA"))...)
			if out, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
			stop()
			truth := readTTFT(t, log)
			records, _ := readRecords(t, filepath.Join(dir, "records.jsonl"))
			var off, alone []time.Duration
			for _, r := range records {
				server, known := truth[r.RequestID]
				first := slices.IndexFunc(r.Arrivals, func(a record.Arrival) bool { return a.Kind.Text() })
				if r.Outcome != record.OK || !known || first < 0 {
					t.Fatalf("request %d: %v (%v), in the server's log: %v", r.Index, r.Outcome, r.Failure, known)
				}
				d := (time.Duration(r.Arrivals[first].At-r.Start) - server).Abs()
				off = append(off, d)
				if next := first + 1; next == len(r.Arrivals) || !r.Arrivals[next].Coalesced {
					alone = append(alone, d)
				}
			}
			t.Logf("%d streams, %d at a time in the batch, ITL %d ms, error of TTFT: %s", load.streams, load.batch,
				load.itl, errorsOf(off))
			t.Logf("  of those whose first token was read alone: %s", errorsOf(alone))
		})
	}
}

func errorsOf(off []time.Duration) string {
	if len(off) == 0 {
		return "none"
	}
	slices.Sort(off)
	q := func(p float64) time.Duration { return off[int(p*float64(len(off)-1))].Round(100 * time.Nanosecond) }
	return fmt.Sprintf("%d requests, p50 %v, p90 %v, p99 %v, max %v", len(off), q(.5), q(.9), q(.99), q(1))
}

// readTTFT is the server's own time from a request to the beginning of the write
// of its first token.
func readTTFT(t *testing.T, path string) map[string]time.Duration {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string]time.Duration{}
	for line := range strings.Lines(string(b)) {
		var e struct {
			RequestID string `json:"request_id"`
			Received  int64  `json:"received_ns"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		truth[e.RequestID] = -time.Duration(e.Received)
	}
	for id, writes := range readTruth(t, path) {
		if len(writes) == 0 {
			t.Fatalf("request %s has no token in %s", id, path)
		}
		truth[id] += time.Duration(writes[0].before)
	}
	return truth
}
