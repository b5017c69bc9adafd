//go:build linux

package lane

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

const headText = `# The simulated cluster and Dynamo itself

Written by ` + "`make test-dynamo-accuracy`" + ` ([dynamo.md](dynamo.md)). Each load has %s paired runs: on a frontend
in mode kv and on one in mode round-robin, with %d mocker workers of its own each, and the same requests on the
simulated cluster. TTFT and ITL are means over the runs, a gain is how many times better kv is than round-robin.

"inside" is a simulated value within the real interval widened by %.0f %%; "not decided" is one whose real interval has a
half-width above %.0f %%. The load average says what else the machine did: latencies of Dynamo, which are of real time,
grow with it, and simulated ones do not.

| | |
|---|---|
`

// head is the beginning of the page: what was measured, with what, on what.
func (g *rig) head(t *testing.T, b *strings.Builder) {
	fmt.Fprintf(b, headText, repeats(), workersEach, 100*widened, 100*widest)
	for _, line := range [][2]string{
		{"date", time.Now().UTC().Format(time.DateOnly)},
		{"headway", g.output(t, "git", "describe", "--always", "--dirty")},
		{"packages", g.output(t, g.dynamo.Python(), "-c", "import sys, importlib.metadata as m; "+
			"print('ai-dynamo', m.version('ai-dynamo'), 'ai-dynamo-runtime', m.version('ai-dynamo-runtime'), "+
			"'Python', sys.version.split()[0])")},
		{"processors", g.output(t, "sh", "-c", "nproc; grep -m1 'model name' /proc/cpuinfo | cut -d: -f2")},
		{"kernel", g.output(t, "uname", "-sr")},
	} {
		fmt.Fprintf(b, "| %s | %s |\n", line[0], line[1])
	}
}

// table has a row for each mean and each gain.
func table(b *strings.Builder, real, simulated summary) {
	b.WriteString("| | Dynamo | 95 % interval | half-width | simulated | difference | |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for i, mode := range []string{"kv", "round-robin"} {
		row(b, "TTFT of "+mode+", ms", real.Runs[i].TTFT.Avg, simulated.Runs[i].TTFT.Avg.Value)
		row(b, "ITL of "+mode+", ms", real.Runs[i].ITL.Avg, simulated.Runs[i].ITL.Avg.Value)
	}
	row(b, "gain in TTFT", real.Gains[0].ttft(), simulated.Gains[0].TTFT)
	row(b, "gain in ITL", real.Gains[0].itl(), simulated.Gains[0].ITL)
}

func row(b *strings.Builder, name string, real figure, simulated float64) {
	half := (real.High - real.Low) / 2 / real.Value
	fmt.Fprintf(b, "| %s | %.4g | %.4g–%.4g | ±%.1f %% | %.4g | %+.1f %% | %s |\n", name, real.Value, real.Low,
		real.High, 100*half, simulated, 100*(simulated/real.Value-1), real.judge(simulated))
}

// judge says whether a simulated value is within the widened interval.
func (f figure) judge(simulated float64) string {
	switch half := (f.High - f.Low) / 2 / f.Value; {
	case !(half > 0) || math.IsInf(half, 0):
		return "no interval"
	case simulated < f.Low*(1-widened) || simulated > f.High*(1+widened):
		return "outside"
	case half > widest:
		return "not decided"
	}
	return "inside"
}
