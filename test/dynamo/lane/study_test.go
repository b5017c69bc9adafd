//go:build linux

package lane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The bars of the study. Simulated means have to be within the real interval
// widened by this share, and an interval of a larger half-width decides nothing.
const (
	widened = 0.03
	widest  = 0.05
)

// studied are the loads of the study: one on a schedule, whatever the replies
// take, and two in closed loops. conversations.jsonl is a trace made for it.
var studied = []struct{ name, line string }{
	{"open-loop trace", "trace --num-requests 80 --speedup-ratio 20 --max-isl 8000 --max-osl 60 " +
		"--spread-timestamps even"},
	{"prefix ratio 0.5", "prefix-ratio --prefix-ratios 0.5 --isl 4000 --osl 50 --num-requests 80 --concurrency 8 " +
		"--num-prefix-prompts 10"},
	{"conversations", "sessions --input-dataset conversations.jsonl --concurrency 8"},
}

// TestStudy compares the simulated cluster with Dynamo itself and writes what it
// found as a page. It fails no bar: the page says which are met, and under which
// load of the machine. DYNAMO_REPEATS is how many paired runs each load has,
// DYNAMO_TIMED a command that runs what is timed, such as a lock that users of the
// machine share.
func TestStudy(t *testing.T) {
	page := os.Getenv("DYNAMO_STUDY")
	if page == "" {
		t.Skip("DYNAMO_STUDY is not set: make test-dynamo-accuracy sets it")
	}
	g := openRig(t)
	var b strings.Builder
	g.head(t, &b)
	for _, l := range studied {
		g.compare(t, &b, l.name, l.line)
	}
	g.replays(t, &b)
	if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// repeats is how many paired runs a load has.
func repeats() string {
	if n := os.Getenv("DYNAMO_REPEATS"); n != "" {
		return n
	}
	return "10"
}

// compare measures a load on two new deployments and on the simulated cluster,
// with the same seed and so the same requests.
func (g *rig) compare(t *testing.T, b *strings.Builder, name, line string) {
	t.Helper()
	dir := t.TempDir()
	conversations := filepath.Join(dir, "conversations.jsonl")
	write(t, conversations, pausing(20, 5))
	args := strings.Fields("router " + strings.ReplaceAll(line, "conversations.jsonl", conversations))
	args = append(args, "--seed", "5", "--repeats", repeats())
	g.kv, g.rr = g.deploy(t, name, "kv"), g.deploy(t, name, "round-robin")
	begun := time.Now()
	code, out := g.timed(t, slices.Concat(args, []string{"--model", Model, "--tokenizer", g.dynamo.Model(), "--url",
		"kv=" + g.kv.URL, "--url", "rr=" + g.rr.URL, "--output-dir", filepath.Join(dir, "dynamo")})...)
	took, busy := time.Since(begun), firstWord(t, "/proc/loadavg")
	delay := g.preprocessing(t)
	g.kv.stopNow(t)
	g.rr.stopNow(t)
	if code != 0 && code != clientInvalid {
		t.Fatalf("%s: exit code %d\n%s", name, code, out)
	}
	// Dynamo's mocker keeps no replies.
	code, out = g.run(t, slices.Concat(args, []string{"--no-enable-reply-caching", "--workers",
		strconv.Itoa(workersEach), "--frontend-delay", delay.String(), "--output-dir",
		filepath.Join(dir, "simulated")})...)
	if code != 0 {
		t.Fatalf("%s, simulated: exit code %d\n%s", name, code, out)
	}
	benchmark, _, _ := strings.Cut(line, " ")
	real := readSummary(t, filepath.Join(dir, "dynamo", benchmark))
	simulated := readSummary(t, filepath.Join(dir, "simulated", benchmark))
	title := strings.ToUpper(name[:1]) + name[1:]
	fmt.Fprintf(b, "\n## %s\n\n```\nheadway router %s --seed 5 --repeats %s\n```\n\n", title, line, repeats())
	fmt.Fprintf(b, "%.0f s; load average of the last minute at the end: %s; the client of kv was %s, that of "+
		"round-robin %s. Dynamo's frontend took %s on average to make tokens of a request (its "+
		"stage preprocess): the simulated cluster got that as `--frontend-delay`.\n\n", took.Seconds(), busy,
		real.Runs[0].Client, real.Runs[1].Client, delay)
	table(b, real, simulated)
}

// preprocessing is the mean of both frontends, rounded.
func (g *rig) preprocessing(t *testing.T) time.Duration {
	t.Helper()
	var sum time.Duration
	for _, s := range []*Deployment{g.kv, g.rr} {
		d, err := s.Preprocessing(g.ctx)
		if err != nil {
			t.Fatal(err)
		}
		sum += d / 2
	}
	return sum.Round(10 * time.Microsecond)
}

// clientInvalid is headway's exit code where its own client was not good enough.
const clientInvalid = 4

// output is what a command prints, as one line.
func (g *rig) output(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.CommandContext(g.ctx, command[0], command[1:]...).Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func firstWord(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	word, _, _ := strings.Cut(string(data), " ")
	return word
}
