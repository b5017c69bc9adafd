//go:build linux

package lane

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// verb is a call of headway whose requests are all answered. Its words may have
// KV and RR for the two frontends, MODEL for the model's folder, DIR for the
// results, and TRACE and TURNS for files of conversations.
type verb struct {
	line string
	long bool // not in the short form
	also func(t *testing.T, g *rig, v call)
}

// call is what a verb left, and how long the prompts are of what it asked before.
type call struct {
	dir, out string
	probe    int
}

// probeOf is the prompt (tokens) of what a verb asks before its load.
func (g *rig) probeOf(v verb) int {
	if strings.Contains(v.line, "--endpoint-type completions") {
		return g.completion
	}
	return g.probe
}

// That the client is late says how busy this machine is, and must fail no test.
const busy = " --max-lag 1h"

const common = busy + " --model lane --tokenizer MODEL"

const both = common + " --url kv=KV --url rr=RR --seed 1 --output-dir DIR"

var verbs = map[string]verb{
	"bench": {line: "bench --url KV --isl 300 --osl 20 --concurrencies 1,4 --random-seed 1 --benchmark-name lane " +
		"--output-dir DIR" + common},
	"run": {line: "run --url KV --streaming --isl 500 --osl 20 --concurrency 4 --request-count 20 --random-seed 1 " +
		"--artifact-dir DIR" + common},
	"run in one piece": {line: "run --url RR --no-streaming --isl 300 --osl 10 --concurrency 2 --request-count 6 " +
		"--random-seed 1 --artifact-dir DIR" + common},
	"run completions": {line: "run --url RR --streaming --endpoint-type completions --isl 300 --osl 10 " +
		"--concurrency 2 --request-count 6 --random-seed 1 --artifact-dir DIR" + common},
	"run single_turn": {line: "run --url KV --streaming --input-file TURNS --custom-dataset-type single_turn " +
		"--concurrency 4 --osl 8 --extra-inputs ignore_eos:true --random-seed 1 --artifact-dir DIR" + common,
		also: oneAfterTheOther},
	"router prefix-ratio": {line: "router prefix-ratio " + prefixLoad + both, also: besideSimulated},
	"router trace": {line: "router trace --num-requests 40 --speedup-ratio 40 --max-isl 3000 --max-osl 30 " +
		"--spread-timestamps even" + both},
	"router sessions": {line: "router sessions --input-dataset TRACE --concurrency 4 --delay 0" + both},
	"router priority": {line: "router priority --num-requests 40 --speedup-ratio 40 --max-isl 3000 --max-osl 30 " +
		"--spread-timestamps even --url KV --seed 1 --output-dir DIR" + common},
	"profile endpoint prefill": {line: "profile endpoint --mode prefill --model-name lane --url KV --num-gpus 1 " +
		"--tokenizer-path MODEL --random-seed 7 --max-context-length 2048 --interpolation-granularity 4 " +
		"--work-dir DIR" + busy, also: countedByServer},
	"profile endpoint decode": {line: "profile endpoint --mode decode --model-name lane --url KV --num-gpus 1 " +
		"--tokenizer-path MODEL --random-seed 7 --max-kv-tokens 8192 --max-context-length 1024 " +
		"--interpolation-granularity 2 --work-dir DIR" + busy, long: true},
}

const prefixLoad = "--isl 1000 --osl 20 --num-requests 40 --concurrency 4 --num-prefix-prompts 4 --prefix-ratios 0.5"

// Every verb that loads a server does it on Dynamo's own frontend: exit code 0, no
// request failed, and the frontend counted the same requests and tokens.
func TestVerbs(t *testing.T) {
	g := newRig(t)
	t.Run("fields", g.testFields)
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		t.Run(name, func(t *testing.T) {
			if verbs[name].long && testing.Short() {
				t.Skip("not in the short form")
			}
			g.testVerb(t, verbs[name])
		})
	}
	t.Run("profile sla", g.testSearch)
	t.Run("sim replay", g.testReplay)
}

func (g *rig) testVerb(t *testing.T, v verb) {
	dir := t.TempDir()
	deployments := []*Deployment{g.kv, g.rr}
	before := g.counts(t, deployments)
	args := strings.Fields(g.fill(t, v.line, dir))
	code, out := g.run(t, args...)
	if code != 0 {
		t.Fatalf("headway %s ended with %d:\n%s", strings.Join(args, " "), code, out)
	}
	answered, left := 0, call{dir: dir, out: out, probe: g.probeOf(v)}
	for i, s := range deployments {
		c := recorded(t, dir, s)
		answered += c.Streamed + c.Whole
		g.checkCounts(t, s, before[i], c, left)
	}
	if answered == 0 {
		t.Fatalf("no request was sent:\n%s", out)
	}
	if v.also != nil {
		v.also(t, g, left)
	}
}

// checkCounts waits until the frontend has counted what headway recorded: it does
// so a little after it has answered. What headway asks before the load has one
// token each, and is answered in one piece.
func (g *rig) checkCounts(t *testing.T, s *Deployment, before Counts, c sent, v call) {
	t.Helper()
	ctx, cancel := context.WithTimeout(g.ctx, 10*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		served := g.counts(t, []*Deployment{s})[0].minus(before)
		all := c
		probes := max(0, served.Whole-c.Whole)
		all.Counts = c.plus(Counts{Whole: probes, Prompt: v.probe * probes, Output: probes})
		if all.agree(served) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s counted %+v, and headway %+v\n%s", s.URL, served, all, v.out)
		}
	}
}

func (g *rig) counts(t *testing.T, deployments []*Deployment) []Counts {
	t.Helper()
	var all []Counts
	for _, s := range deployments {
		c, err := s.Counts(g.ctx)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// fill replaces the names in a command line. Files of conversations are made
// where one is named.
func (g *rig) fill(t *testing.T, line, dir string) string {
	t.Helper()
	made := t.TempDir()
	trace, turns := filepath.Join(made, "trace.jsonl"), filepath.Join(made, "turns.jsonl")
	write(t, trace, conversations(6, 3))
	write(t, turns, sharedSessions(4, 3))
	return strings.NewReplacer("KV", g.kv.URL, "RR", g.rr.URL, "MODEL", g.dynamo.Model(), "DIR", dir, "TRACE", trace,
		"TURNS", turns).Replace(line)
}

// countedByServer checks that what the frontend counts is kept with every repeat of a
// point.
func countedByServer(t *testing.T, _ *rig, v call) {
	files, err := filepath.Glob(filepath.Join(v.dir, "*", "*", "repeat_*", "records.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d runs are kept below %s: %v", len(files), v.dir, err)
	}
	for _, file := range files {
		all := lines(t, file)
		if !strings.Contains(all[len(all)-1], `"servers":{`) {
			t.Errorf("%s does not have what the server counted: %s", file, all[len(all)-1])
		}
	}
}

// oneAfterTheOther checks that rows of a session are turns: none began before the
// one before it had ended.
func oneAfterTheOther(t *testing.T, _ *rig, v call) {
	ended, seen := map[string]int64{}, map[string][]int{}
	for _, line := range lines(t, filepath.Join(v.dir, "records.jsonl")) {
		var r struct {
			Session     string
			Turn        int
			Start, Done int64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Session == "" {
			continue // header, trailer
		}
		if r.Start < ended[r.Session] {
			t.Errorf("turn %d of %s began before the one before it had ended", r.Turn, r.Session)
		}
		ended[r.Session] = r.Done
		seen[r.Session] = append(seen[r.Session], r.Turn)
	}
	for session, turns := range seen {
		if !slices.Equal(turns, []int{0, 1, 2}) {
			t.Errorf("%s has the turns %v, want 0, 1, 2 in order", session, turns)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d sessions, want 4", len(seen))
	}
}

// besideSimulated prints what routing gained on Dynamo beside what it gains on the
// simulated cluster under the same load. Neither is held against the other here:
// make test-dynamo-accuracy does, on a quiet machine.
func besideSimulated(t *testing.T, g *rig, v call) {
	dir := t.TempDir()
	code, out := g.run(t, strings.Fields(fmt.Sprintf("router prefix-ratio %s --workers %d --repeats 5 --seed 1 "+
		"--output-dir %s", prefixLoad, workersEach, dir))...)
	if code != 0 {
		t.Fatalf("the simulated cluster: exit code %d\n%s", code, out)
	}
	for _, where := range []call{{dir: v.dir, out: "Dynamo"}, {dir: dir, out: "simulated"}} {
		s := readSummary(t, filepath.Join(where.dir, "prefix-ratio"))
		t.Logf("%-9s: TTFT and ITL of kv %.2f and %.2f ms, %.3g times better than round-robin in TTFT", where.out,
			s.Runs[0].TTFT.Avg.Value, s.Runs[0].ITL.Avg.Value, s.Gains[0].TTFT)
	}
}
