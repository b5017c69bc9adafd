package deploy

import (
	"context"
	"strings"
	"testing"

	"headway/internal/engine"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/internal/twin"
	"headway/workload"
)

// server is a twin's file with intervals of the means.
func server() *twin.File {
	f := &twin.File{Version: twin.FileVersion, Model: twin.Usual, Engine: twin.Engine{Type: engine.VLLM,
		MaxNumSeqs: 128, MaxNumBatchedTokens: 4096, Blocks: 10000, BlockSize: 16},
		Range:       twin.Range{ISL: [2]int{100, 2000}, OSL: [2]int{10, 200}, InFlight: [2]int{1, 32}},
		Uncertainty: &twin.Uncertainty{Parameters: twin.ParameterNames(), Residuals: map[string][]float64{}}}
	for i := range twin.Parameters {
		row := make([]float64, i+1)
		row[i] = 0.01
		f.Uncertainty.Covariance = append(f.Uncertainty.Covariance, row)
	}
	for _, figure := range []string{"time_to_first_token", "inter_token_latency"} {
		for i := range 20 {
			f.Uncertainty.Residuals[figure] = append(f.Uncertainty.Residuals[figure], float64(i)/400)
		}
	}
	return f
}

var oneGPU = model.Mapping{Kind: model.TP, Size: 1}

// fittedSpace is what is searched with the twin, as options ask for it.
func fittedSpace(t *testing.T, f *twin.File, asked profile.Limits) (profile.Space, *Fitted) {
	t.Helper()
	space := searchCases[1].space(t)
	space.ISL, space.OSL = 1000, 100
	fitted, err := NewFitted(f, oneGPU, "vllm", asked, &space)
	if err != nil {
		t.Fatal(err)
	}
	return space, fitted
}

// basis opens a candidate and says what a trial on it rests on.
func basis(t *testing.T, s *Sim, p profile.Phase, label string, n int) (*profile.Basis, profile.Facts) {
	t.Helper()
	e := open(t, s, p, label)
	trial := profile.Trial{Concurrency: n}
	trial.TTFT.Mean, trial.ITL.Mean, trial.Throughput.Mean = .06, .012, 500
	return e.(profile.Grounded).Basis(t.Context(), p, trial, 1000, 100), e.Facts()
}

// Candidates of the twin's mapping are the twin's server, and what is said of them has
// its intervals; all others are the roofline's.
func TestFitted(t *testing.T) {
	space, fitted := fittedSpace(t, server(), profile.Limits{})
	sim := &Sim{Setup: space.Setup, Fitted: fitted}
	b, facts := basis(t, sim, profile.Decode, "TP=1", 16)
	if b.Grounds != profile.OnTwin || len(b.Why) > 0 || b.TTFT != nil || b.ITL == nil || b.ITL.Level != twin.Level ||
		!(b.ITL.Low < .012 && .012 < b.ITL.High) {
		t.Errorf("decode inside: %+v", b)
	}
	if facts.KVTokens != 160000 || facts.Sequences != 128 {
		t.Errorf("%+v", facts)
	}
	if whole, _ := basis(t, sim, profile.Aggregated, "TP=1", 8); whole.TTFT == nil || whole.ITL == nil {
		t.Errorf("both halves: %+v", whole)
	}
	if p, _ := basis(t, sim, profile.Prefill, "TP=1", 1); p.Grounds != profile.OnTwin || p.TTFT == nil || p.ITL != nil {
		t.Errorf("prefill: %+v", p)
	}
	far, _ := basis(t, sim, profile.Decode, "TP=1", 128)
	if far.Grounds != profile.BeyondTwin || len(far.Why) != 1 || far.ITL.High <= b.ITL.High {
		t.Errorf("outside of the range: %+v", far)
	}
	other, facts := basis(t, sim, profile.Decode, "TP=2", 16)
	if other.Grounds != profile.OnRoofline || other.ITL != nil || facts.Sequences != 0 {
		t.Errorf("another mapping: %+v", other)
	}
}

// Random arrivals have more in flight than their mean.
func TestFittedPeak(t *testing.T) {
	space, fitted := fittedSpace(t, server(), profile.Limits{})
	b, _ := basis(t, &Sim{Setup: space.Setup, Fitted: fitted}, profile.Aggregated, "TP=1", 25)
	if b.Grounds != profile.BeyondTwin {
		t.Errorf("a mean of 25 with at most 32 seen: %+v", b)
	}
}

// Other settings of the server are priced by the twin, without an interval.
func TestFittedSettings(t *testing.T) {
	time := func(asked profile.Limits) float64 {
		space, fitted := fittedSpace(t, server(), asked)
		e := open(t, &Sim{Setup: space.Setup, Fitted: fitted}, profile.Prefill, "TP=1")
		var got kept
		if _, err := e.Run(context.Background(), profile.Part{Plan: plan(workload.Key(1), 1, 3000, 5)},
			&got); err != nil {
			t.Fatal(err)
		}
		return float64(got[0].Arrivals[0].At-got[0].Start) / 1e9
	}
	if own, small := time(profile.Limits{}), time(profile.Limits{Tokens: 256}); small < own*1.1 {
		t.Errorf("a prompt in one step takes %v s, in twelve %v s", own, small)
	}
	space, fitted := fittedSpace(t, server(), profile.Limits{Tokens: 512, KVTokens: 64000})
	b, facts := basis(t, &Sim{Setup: space.Setup, Fitted: fitted}, profile.Decode, "TP=1", 16)
	why := strings.Join(b.Why, "; ")
	if b.Grounds != profile.BeyondTwin || b.ITL != nil || !strings.Contains(why, "the tokens of a step") ||
		!strings.Contains(why, "the size of the KV cache") {
		t.Errorf("%+v", b)
	}
	setup := space.Setup(profile.Candidate{Phase: profile.Prefill, Mapping: oneGPU})
	if facts.KVTokens != 64000 || setup.MaxBatchedTokens != 512 || setup.MaxSequences != 128 {
		t.Errorf("%+v, %+v", facts, setup)
	}
}

// A cache that no GPU could hold was none that anybody measured.
func TestFittedUnsized(t *testing.T) {
	f := server()
	f.Engine.Blocks = 1 << 24 / 16
	space, fitted := fittedSpace(t, f, profile.Limits{})
	if !fitted.Unsized || fitted.KVTokens >= 1<<24 || f.Engine.Blocks != 1<<20 {
		t.Errorf("%+v", fitted)
	}
	if b, _ := basis(t, &Sim{Setup: space.Setup, Fitted: fitted}, profile.Decode, "TP=1", 16); b.ITL == nil {
		t.Errorf("%+v", b)
	}
	f.Uncertainty = nil
	b, _ := basis(t, &Sim{Setup: space.Setup, Fitted: fitted}, profile.Decode, "TP=1", 16)
	if b.ITL == nil {
		t.Errorf("a twin that was read before: %+v", b)
	}
}

// A twin without residuals is one without intervals, and says so.
func TestFittedUncalibrated(t *testing.T) {
	f := server()
	f.Uncertainty = nil
	space, fitted := fittedSpace(t, f, profile.Limits{})
	b, _ := basis(t, &Sim{Setup: space.Setup, Fitted: fitted}, profile.Decode, "TP=1", 16)
	if b.Grounds != profile.OnTwin || b.ITL != nil || len(b.Why) != 1 {
		t.Errorf("%+v", b)
	}
}

// What a twin cannot stand for is refused.
func TestFittedFaults(t *testing.T) {
	for _, c := range []struct {
		label, backend string
		asked          profile.Limits
		want           string
	}{
		{"TP=1", "sglang", profile.Limits{}, "twin: a twin of vllm, and backend is sglang"},
		{"DEP=2", "vllm", profile.Limits{}, "has 2 attention ranks"},
		{"TP=3", "vllm", profile.Limits{}, "twin-mapping TP=3: is not among the mappings that are tried: TP=1, TP=2"},
		{"TP=16", "vllm", profile.Limits{KVTokens: 1}, "TP=16: is not"},
		{"TP=1", "vllm", profile.Limits{Tokens: 1 << 30}, "max-num-batched-tokens 1073741824: "},
		{"TP=1", "vllm", profile.Limits{Tokens: 64}, "has to hold a token of each sequence"},
	} {
		m, err := model.ParseMapping(c.label)
		if err != nil {
			t.Fatal(err)
		}
		space := searchCases[1].space(t)
		if _, err = NewFitted(server(), m, c.backend, c.asked, &space); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.label, err, c.want)
		}
	}
}
