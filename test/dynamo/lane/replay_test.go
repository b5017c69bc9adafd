//go:build linux

package lane

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// replayWorkers is the size of the cluster in replays.
const replayWorkers = 8

const replayText = `
## Replay in virtual time

%s, played on %d workers by ` + "`headway sim replay`" + ` and by Dynamo's own offline replay:
` + "`run_mocker_trace_replay`" + ` of its runtime, which is behind ` + "`aisimulate predict`" + `. Times are of the
whole program, reading the file included. Dynamo's router breaks ties by chance: its figures differ a little from run to run.

`

// replayed is what a replay found, and what it took.
type replayed struct {
	Seconds  float64
	Requests float64
	Output   float64 `json:"output_tokens"`
	TTFT     float64 `json:"ttft_ms"`
	ITL      float64 `json:"itl_ms"`
	cpu      float64 // seconds
	peak     float64 // megabytes of memory
}

// replays plays the conversation trace in virtual time, here and by Dynamo's own
// replay. DYNAMO_TRACE is the trace; without, one is drawn that resembles it.
func (g *rig) replays(t *testing.T, b *strings.Builder) {
	t.Helper()
	trace, what := os.Getenv("DYNAMO_TRACE"), "The recorded conversation trace"
	if trace == "" {
		trace, what = g.drawn(t, 12031), "12,031 rows drawn from the preset mooncake-conversation"
	}
	fmt.Fprintf(b, replayText, what, replayWorkers)
	fmt.Fprintf(b, "| mode | | requests | TTFT, ms | ITL, ms | wall, s | processor, s | peak memory, MB |\n"+
		"|---|---|---|---|---|---|---|---|\n")
	for _, mode := range [][2]string{{"kv", "kv_router"}, {"round-robin", "round_robin"}} {
		ours, theirs := g.replay(t, trace, mode[0]), g.replayDynamo(t, trace, mode[1])
		ours.row(b, mode[0], "headway")
		theirs.row(b, mode[0], "Dynamo")
		fmt.Fprintf(b, "| %s | Dynamo over headway | | %.3f | %.3f | %.1f | %.1f | %.1f |\n", mode[0],
			theirs.TTFT/ours.TTFT, theirs.ITL/ours.ITL, theirs.Seconds/ours.Seconds, theirs.cpu/ours.cpu,
			theirs.peak/ours.peak)
	}
}

// drawn is a trace of so many rows that resembles an hour of a chat service.
func (g *rig) drawn(t *testing.T, rows int) string {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace.jsonl")
	if code, out := g.run(t, "trace", "synthesize", "--preset", "mooncake-conversation", "--num-requests",
		strconv.Itoa(rows), "--seed", "1", "-o", trace); code != 0 {
		t.Fatalf("trace synthesize: exit code %d\n%s", code, out)
	}
	return trace
}

// How far the simulated cluster may be from Dynamo's own replay, which depends on
// no machine either: mean TTFT and ITL. Without a choice of worker only steps with
// several prompts differ, in which Dynamo computes with whole mean lengths; with it,
// Dynamo breaks ties by chance, and a thousand requests differ by some percent from
// run to run.
const (
	closeEngine = 0.001
	closeRouter = 0.08
)

// testReplay holds the simulated cluster against Dynamo's own replay.
func (g *rig) testReplay(t *testing.T) {
	trace := g.drawn(t, 1000)
	for _, m := range []struct {
		ours, theirs string
		close        float64
	}{{"round-robin", "round_robin", closeEngine}, {"kv", "kv_router", closeRouter}} {
		ours, theirs := g.replay(t, trace, m.ours), g.replayDynamo(t, trace, m.theirs)
		t.Logf("%-11s: TTFT %.2f here and %.2f ms there, ITL %.3f and %.3f", m.ours, ours.TTFT, theirs.TTFT, ours.ITL,
			theirs.ITL)
		if ours.Requests != theirs.Requests || ours.Output != theirs.Output {
			t.Errorf("%s: %.0f requests and %.0f tokens, Dynamo has %.0f and %.0f", m.ours, ours.Requests, ours.Output,
				theirs.Requests, theirs.Output)
		}
		if math.Abs(ours.TTFT/theirs.TTFT-1) > m.close || math.Abs(ours.ITL/theirs.ITL-1) > m.close {
			t.Errorf("%s: further than %g %% from Dynamo's replay", m.ours, 100*m.close)
		}
	}
}

func (r replayed) row(b *strings.Builder, mode, who string) {
	fmt.Fprintf(b, "| %s | %s | %.0f | %.2f | %.3f | %.1f | %.1f | %.0f |\n", mode, who, r.Requests, r.TTFT, r.ITL,
		r.Seconds, r.cpu, r.peak)
}

// replay plays the trace with headway.
func (g *rig) replay(t *testing.T, trace, mode string) replayed {
	t.Helper()
	var d struct {
		TTFT struct{ Avg, Count float64 } `json:"time_to_first_token"`
		ITL  struct{ Avg float64 }        `json:"inter_token_latency"`
		Out  struct{ Avg float64 }        `json:"total_output_tokens"`
	}
	r := g.clocked(t, &d, nil, g.headway, "sim", "replay", "--input-file", trace, "--router-mode", mode, "--workers",
		strconv.Itoa(replayWorkers), "--random-seed", "1", "--quiet", "--json")
	r.Requests, r.Output = d.TTFT.Count, d.Out.Avg
	r.TTFT, r.ITL = d.TTFT.Avg, d.ITL.Avg
	return r
}

// replayDynamo plays it with Dynamo.
func (g *rig) replayDynamo(t *testing.T, trace, mode string) replayed {
	t.Helper()
	var d replayed
	r := g.clocked(t, &d, append(g.dynamo.Environ(""), "DYN_LOG=error"), g.dynamo.Python(), "replay.py", trace, mode,
		strconv.Itoa(replayWorkers))
	r.Requests, r.Output = d.Requests, d.Output
	r.TTFT, r.ITL = d.TTFT, d.ITL
	return r
}

// clock is a shell script that runs its arguments and prints before and after, on
// standard error, what time it is. It is inside of DYNAMO_TIMED, whose wait for a
// lock is no time of the program.
const clock = `date +%s.%N >&2; "$@"; code=$?; date +%s.%N >&2; exit $code`

// clocked runs a program whose output is JSON for to, and measures it.
func (g *rig) clocked(t *testing.T, to any, env []string, command ...string) replayed {
	t.Helper()
	command = append(append(strings.Fields(os.Getenv("DYNAMO_TIMED")), "sh", "-c", clock, "sh"), command...)
	cmd := exec.CommandContext(g.ctx, command[0], command[1:]...)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, to)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said.String())
	}
	stamps := strings.Fields(said.String())
	begun, err := strconv.ParseFloat(stamps[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := strconv.ParseFloat(stamps[len(stamps)-1], 64)
	if err != nil {
		t.Fatal(err)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage) // of all that the command started, too
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return replayed{Seconds: ended - begun, cpu: cpu.Seconds(), peak: float64(used.Maxrss) / 1000}
}
