package fit

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/twin"
	"headway/workload"
)

func vllm() twin.Engine {
	return twin.Engine{Type: engine.VLLM, MaxNumSeqs: 1024, MaxNumBatchedTokens: 8192, Blocks: 56057, BlockSize: 16}
}

// other is a server that is not the usual one.
func other() *twin.Model {
	m := twin.Usual
	m.Weights = 9
	m.Compute = 60
	m.KV = 50
	m.Sequence = 30
	m.LaunchDecode = 4
	m.LaunchPrompt = 12
	m.Prepare = 6
	m.Write = 30
	m.Tokenize = 2
	return &m
}

// open is a load at random times.
func openLoop(key uint64, n int, rate float64, isl, osl int) *Load {
	l := &Load{Name: "open"}
	r := workload.Seed(key).Rand()
	at := 0.0
	for range n {
		at += r.ExpFloat64() / rate
		l.Requests = append(l.Requests, Request{At: time.Duration(at * 1e9), ISL: isl/2 + r.IntN(isl), OSL: osl})
	}
	return l
}

func closedLoop(concurrency, n, isl, osl int) *Load {
	l := &Load{Name: "closed", Concurrency: concurrency}
	for range n {
		l.Requests = append(l.Requests, Request{ISL: isl, OSL: osl})
	}
	return l
}

// A twin of a server that is the model itself, with other numbers, foretells loads
// that it has not seen.
func TestFitFindsAnotherServer(t *testing.T) {
	truth := other()
	measure := func(l *Load) *Load {
		var err error
		if l.Seen, err = Simulate(t.Context(), vllm(), truth, l, 99); err != nil {
			t.Fatal(err)
		}
		return l
	}
	asked := Asked{Data: Data{Engine: vllm(), Loads: []*Load{measure(openLoop(1, 150, 6, 800, 60)),
		measure(closedLoop(8, 32, 600, 60))}}}
	for _, n := range []int{1, 50, 150} {
		p := Point{Sequences: n, ISL: 2000, OSL: 200}
		p.ITL = truth.Gap(p.Sequences, p.ISL+p.OSL/2)
		asked.Points = append(asked.Points, p)
	}
	asked.HeldOut = []*Load{measure(openLoop(2, 150, 9, 1200, 40)), measure(closedLoop(24, 96, 500, 80))}
	f, err := Make(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range f.HeldOut {
		for _, c := range l.Figures {
			if math.Abs(c.Error()) > 0.25 {
				t.Errorf("%s: %s measured %.2f, foretold %.2f", l.Load, c.Figure, c.Measured, c.Simulated)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "twin.json")
	data, err := f.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := twin.Read(path); err != nil || again.Model != f.Model || again.Engine != f.Engine {
		t.Errorf("read again: %+v, %v", again, err)
	}
}
