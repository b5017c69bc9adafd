package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"headway/record"
)

// TestAccuracy holds every arrival stamp of the client against the log of a
// simulated server in a second process: the same number of events, in order,
// and none stamped before its write began. With ACCURACY=full it takes
// the loads of docs/accuracy.md and prints the differences.
func TestAccuracy(t *testing.T) {
	t.Parallel()
	full := os.Getenv("ACCURACY") == "full"
	conversations, concurrency := 20, 10
	if full {
		conversations, concurrency = 200, 100
	}
	t.Run("conversations", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "sharegpt.json")
		writeConversations(t, file, conversations)
		compareArrivals(t, full, "--input-file", file, "--concurrency", fmt.Sprint(concurrency))
	})
	t.Run("azure", func(t *testing.T) {
		trace := "../../../shared/data/azure_llm_2023_code.csv"
		if _, err := os.Stat(trace); err != nil {
			t.Skip("the recorded trace is not here: ", trace)
		}
		count, speedup := 20, "100"
		if full {
			count, speedup = 500, "10"
		}
		compareArrivals(t, full, "--input-file", trace, "--request-count", fmt.Sprint(count),
			"--synthesis-speedup-ratio", speedup)
	})
}

// compareArrivals runs a load against a server of its own and checks every stamp.
func compareArrivals(t *testing.T, print bool, load ...string) {
	bin := program(t)
	log := filepath.Join(t.TempDir(), "sim.jsonl")
	url, stop := serve(t, bin, "--log", log)
	dir := filepath.Join(t.TempDir(), "run")
	args := append([]string{"run", "--url", url, "--model", "simulated", "--tokenizer", "builtin", "--streaming",
		"--random-seed", "1",
		"--artifact-dir", dir, "--ui-type", "none", "--max-lag", "1m", "--transport",
		cmp.Or(os.Getenv("TRANSPORT"), "auto")}, load...)
	if out, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	stop()
	truth := readTruth(t, log)
	records, clock := readRecords(t, filepath.Join(dir, "records.jsonl"))
	var late []time.Duration
	together, user := 0, 0
	for _, r := range records {
		if r.Outcome != record.OK {
			t.Fatalf("request %d: %v (%v)", r.Index, r.Outcome, r.Failure)
		}
		writes, known := truth[r.RequestID]
		if !known {
			t.Fatalf("request %d (%s) is not in the server's log", r.Index, r.RequestID)
		}
		var arrivals []record.Arrival
		for _, a := range r.Arrivals {
			if a.Kind.Text() {
				arrivals = append(arrivals, a)
			}
		}
		if len(arrivals) != len(writes) {
			t.Fatalf("request %d: %d arrivals of text for %d writes", r.Index, len(arrivals), len(writes))
		}
		for i, a := range arrivals {
			at := clock.Wall(a.At).UnixNano()
			if at < writes[i].before {
				t.Errorf("request %d, event %d: stamped %v before its write began", r.Index, i,
					time.Duration(writes[i].before-at))
			}
			if i > 0 && a.At < arrivals[i-1].At {
				t.Errorf("request %d, event %d: stamped before the event ahead of it", r.Index, i)
			}
			late = append(late, time.Duration(at-writes[i].after))
			if a.Coalesced {
				together++
			}
			if a.UserspaceStamp {
				user++
			}
		}
	}
	if len(late) == 0 {
		t.Fatal("nothing was compared")
	}
	if print {
		slices.Sort(late)
		q := func(p float64) time.Duration { return late[int(p*float64(len(late)-1))] }
		t.Logf("%d requests, %d arrivals; stamp minus the clock after the write: p1 %v, p50 %v, p90 %v, p99 %v, "+
			"p99.9 %v, max %v; read together %.2f %%, stamped in user space %.2f %%",
			len(records), len(late), q(.01), q(.5), q(.9), q(.99), q(.999), late[len(late)-1],
			100*float64(together)/float64(len(late)), 100*float64(user)/float64(len(late)))
	}
}

// serve starts a simulated server in another process; stop ends it and waits
// for its log.
func serve(t *testing.T, bin string, args ...string) (url string, stop func()) {
	t.Helper()
	cmd := exec.Command(bin, append([]string{"sim", "serve", "--port", "0"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait() // an interrupted server exits with 130
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url = regexp.MustCompile(`http://\S+`).FindString(line)
	if url == "" {
		t.Fatalf("no address in %q", line)
	}
	return url, stop
}

// write is one token's write in the server's log.
type write struct{ before, after int64 }

func readTruth(t *testing.T, path string) map[string][]write {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string][]write{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		var e struct {
			RequestID string               `json:"request_id"`
			Writes    [][3]json.RawMessage `json:"writes"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		writes := []write{}
		for _, w := range e.Writes {
			var one write
			if string(w[0]) != `"token"` {
				continue
			}
			if err := errors.Join(json.Unmarshal(w[1], &one.before), json.Unmarshal(w[2], &one.after)); err != nil {
				t.Fatal(err)
			}
			writes = append(writes, one)
		}
		truth[e.RequestID] = writes
	}
	return truth
}

func readRecords(t *testing.T, path string) ([]*record.Record, record.Clock) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := record.NewReader(f, path)
	if err != nil {
		t.Fatal(err)
	}
	var all []*record.Record
	for {
		r, err := in.Next()
		if err == io.EOF {
			return all, record.ClockAt(in.Header().Origin)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

// writeConversations makes a file in the shape of ShareGPT: questions of tens
// to hundreds of words with answers of a lognormal length.
func writeConversations(t *testing.T, path string, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the model reads a prompt and writes words while others wait for their turn in the " +
		"queue of a busy server")
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[rng.IntN(len(words))] + " ")
		}
		return b.String()
	}
	type turn struct {
		From  string `json:"from"`
		Value string `json:"value"`
	}
	type conversation struct {
		ID    string `json:"id"`
		Turns []turn `json:"conversations"`
	}
	var all []conversation
	for i := range n {
		all = append(all, conversation{fmt.Sprint("c", i), []turn{
			{"human", text(20 + rng.IntN(300))}, {"gpt", text(30 + rng.IntN(220))},
		}})
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
