package deploy

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headway/internal/model"
	"headway/internal/profile"
	"headway/record"
	"headway/workload"
)

type kept []*record.Record

func (k *kept) Take(r *record.Record) error { *k = append(*k, r); return nil }

func plan(key workload.Key, n, isl, osl int) workload.Plan {
	s := workload.Synthetic{Key: key, Requests: n, ISL: workload.Length{Mean: float64(isl)},
		OSL: workload.Length{Mean: float64(osl)}}
	return workload.Plan{Source: s.Source(), Requests: n, Concurrency: n, Grace: -1}
}

func open(t *testing.T, s *Sim, p profile.Phase, label string) profile.Subject {
	t.Helper()
	m, err := model.ParseMapping(label)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Open(context.Background(), profile.Candidate{Phase: p, Mapping: m})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// One prompt alone takes as long as the roofline says, and so does a step of
// many replies.
func TestSimTakesTheRooflinesTimes(t *testing.T) {
	space := searchCases[2].space(t)
	for _, c := range []struct {
		label string
		n     int // of the burst
	}{{"TEP=4", 1}, {"DEP=8", 8}} {
		e := open(t, &Sim{Setup: space.Setup}, profile.Prefill, c.label)
		m, _ := model.ParseMapping(c.label)
		line, err := space.Setup(profile.Candidate{Phase: profile.Prefill, Mapping: m}).Roofline()
		if err != nil {
			t.Fatal(err)
		}
		var got kept
		if _, err := e.Run(context.Background(), profile.Part{Plan: plan(1, c.n, 3000, 5)}, &got); err != nil {
			t.Fatal(err)
		}
		want := line.StepTime(3000, model.PrefillContext(0, 3000), 0, 0).Seconds()
		for _, r := range got {
			if ttft := float64(r.Arrivals[0].At-r.Start) / 1e9; math.Abs(ttft-want) > 1e-6 {
				t.Errorf("%s: TTFT %v, want %v", c.label, ttft, want)
			}
		}
	}
}

// What one plan leaves in the cache the next one finds there, but not on a
// prefill worker, which has none.
func TestSimRemembersPrompts(t *testing.T) {
	space := searchCases[0].space(t)
	for p, want := range map[profile.Phase]int{profile.Decode: 2944, profile.Prefill: 0} {
		e := open(t, &Sim{Setup: space.Setup}, p, "TP=4")
		var first, second kept
		for _, into := range []*kept{&first, &second} {
			if _, err := e.Run(context.Background(), profile.Part{Plan: plan(7, 4, 3000, 10)}, into); err != nil {
				t.Fatal(err)
			}
		}
		for i := range second {
			if n := first[i].Usage["prompt_cache_read_tokens"]; n != 0 {
				t.Errorf("%s: a new prompt had %d tokens in the cache", p, n)
			}
			if n := second[i].Usage["prompt_cache_read_tokens"]; n != want {
				t.Errorf("%s: a known prompt had %d tokens in the cache, want %d", p, n, want)
			}
		}
		if second[0].Planned != 1 {
			t.Errorf("%s: the second plan begins at %d, want 1", p, second[0].Planned)
		}
	}
}

func TestSimFacts(t *testing.T) {
	space := searchCases[2].space(t)
	s := &Sim{Setup: space.Setup, LoadRate: 10e9, Startup: time.Minute}
	e := open(t, s, profile.Decode, "DEP=16")
	f := e.Facts()
	setup := space.Setup(profile.Candidate{Phase: profile.Decode, Mapping: model.Mapping{Kind: model.DEP, Size: 16}})
	memory, err := setup.Memory()
	if err != nil {
		t.Fatal(err)
	}
	want := profile.Facts{GPUs: 16, AttentionDP: 16, KVTokens: memory.Tokens(), Simulated: true}
	// Two nodes read at once, each what its eight GPUs hold.
	want.Load = time.Minute + time.Duration(setup.Model.WeightBytesPerGPU(setup.Mapping)*8/10e9*1e9)
	if f != want {
		t.Errorf("facts %+v, want %+v", f, want)
	}
	_, err = s.Open(context.Background(), profile.Candidate{Phase: profile.Decode,
		Mapping: model.Mapping{Kind: model.TP, Size: 1}})
	var dead *profile.DeadError
	if !errors.As(err, &dead) || dead.Reason != profile.ReasonMemory ||
		!strings.Contains(dead.Message, "leave no room") {
		t.Errorf("a model that does not fit: %v", err)
	}
}

func TestSimIsInterrupted(t *testing.T) {
	e := open(t, &Sim{Setup: searchCases[0].space(t).Setup}, profile.Decode, "TP=8")
	ctx, stop := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	stop(why)
	if _, err := e.Run(ctx, profile.Part{Plan: plan(1, 3, 100, 10)}, &kept{}); !errors.Is(err, why) {
		t.Errorf("error %v, want the cause", err)
	}
}
