package profile

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headway/internal/model"
	"headway/record"
)

// slaBench has engines whose times are formulas. Candidates in dies cannot
// start, those in fails answer nothing.
type slaBench struct {
	dies, fails map[string]bool
	stop        func(Candidate) // called at each Open

	mu           sync.Mutex
	opened       []string
	running, top int
}

func (b *slaBench) Open(_ context.Context, c Candidate) (Subject, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened = append(b.opened, c.Tag())
	if b.stop != nil {
		b.stop(c)
	}
	if b.dies[c.Mapping.String()] {
		return nil, &DeadError{Reason: ReasonCrash, Message: "exit status 1", Advice: "look at the log", Log: "Killed"}
	}
	b.running++
	b.top = max(b.top, b.running)
	return &slaEngine{b: b, c: c}, nil
}

// slaEngine takes 100 ms / GPUs for a prompt, and 4 ms + 40 µs for each request
// at a time, over the root of the GPUs, for a token.
type slaEngine struct {
	b *slaBench
	c Candidate
}

func (e *slaEngine) Facts() Facts {
	return Facts{GPUs: e.c.Mapping.GPUs(), AttentionDP: e.c.Mapping.AttentionDP(),
		KVTokens: 300_000 * e.c.Mapping.GPUs(), Load: time.Minute}
}

func (e *slaEngine) Run(ctx context.Context, p Part, sink record.Sink) (Ran, error) {
	n := float64(e.c.Mapping.GPUs())
	ttft := record.Time(100e6 / n)
	itl := record.Time((4e6 + 40e3*float64(p.Concurrency)) / (1 + n/4))
	end := record.Time(1)
	for r, err := range p.Source {
		if err != nil {
			return Ran{}, err
		}
		rec := &record.Record{Index: r.Index, Start: 1, Streamed: true, Sparse: true, Outcome: record.OK,
			TokensIn: r.Prompt.Tokens, TokensOut: r.OutputTokens, TokensReasoning: 0}
		rec.Arrivals = []record.Arrival{{At: 1 + ttft, Kind: record.Content, Tokens: 1}}
		if r.OutputTokens > 1 {
			rec.Arrivals = append(rec.Arrivals, record.Arrival{At: 1 + ttft + itl*record.Time(r.OutputTokens-1),
				Kind: record.Content, Tokens: r.OutputTokens - 1})
		}
		if e.b.fails[e.c.Mapping.String()] {
			rec.Outcome, rec.Failure, rec.Arrivals = record.Failed,
				&record.Failure{Class: record.ClassHTTP5, Code: 500, Message: "no such kernel"}, nil
		}
		rec.Done = 1 + ttft + itl*record.Time(max(r.OutputTokens-1, 0))
		end = max(end, rec.Done)
		if err := sink.Take(rec); err != nil {
			return Ran{}, err
		}
	}
	return Ran{Span: time.Duration(end - 1)}, ctx.Err()
}

func (e *slaEngine) Close(context.Context) error {
	e.b.mu.Lock()
	defer e.b.mu.Unlock()
	e.b.running--
	return nil
}

func slaSpace(t *testing.T) Space {
	t.Helper()
	m, err := model.Lookup("qwen3-32b")
	if err != nil {
		t.Fatal(err)
	}
	g, err := model.LookupGPU("h200_sxm")
	if err != nil {
		t.Fatal(err)
	}
	return Space{Model: m, GPU: g, ISL: 2000, OSL: 200, Context: 8192}
}

func slaTest(t *testing.T, b *slaBench) Search {
	return Search{Space: slaSpace(t), Bench: b, Method: Thorough, SLO: SLO{TTFT: 0.06, ITL: 0.008}, Dir: t.TempDir(),
		Settings: map[string]string{"isl": "2000"}}
}

// Only 8 GPUs meet the ITL with many at a time; the prompt meets its target from
// 2 GPUs on, each as good per GPU, so that the first is taken.
func TestThoroughSearch(t *testing.T) {
	b := &slaBench{dies: map[string]bool{"TP=4": true}}
	s := slaTest(t, b)
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Prefill.Pick; got == nil || got.Mapping.String() != "TP=2" || !got.Met {
		t.Errorf("prefill pick %+v, want TP=2", got)
	}
	if got := r.Decode.Pick; got == nil || got.Trial.ITL.Mean > 0.008 || !got.Met {
		t.Errorf("decode pick %+v, want one that meets 8 ms", got)
	}
	if len(b.opened) != 8 || b.running != 0 {
		t.Errorf("opened %v, %d still running", b.opened, b.running)
	}
	dead := r.Decode.Outcomes[2]
	if dead.Status != Dead || dead.Death.Log != "Killed" || !strings.Contains(dead.Reason(), "look at the log") {
		t.Errorf("the dead candidate: %+v", dead)
	}
	data, err := os.ReadFile(filepath.Join(s.Dir, "decode_4gpus_TP4", "outcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := ParseOutcome(data); err != nil || o.Status != Dead {
		t.Errorf("on disk: %+v, %v", o, err)
	}
	if want := 8.0; r.Decode.Outcomes[3].GPUMinutes <= want {
		t.Errorf("8 GPUs loading for a minute and measuring cost %.2f GPU-minutes, want above %.0f",
			r.Decode.Outcomes[3].GPUMinutes, want)
	}
}

// A search that was cut off goes on where it was, and ends as one that was not.
func TestResume(t *testing.T) {
	for _, method := range []Method{Thorough, Fast} {
		whole, err := func() (Result, error) {
			s := slaTest(t, &slaBench{})
			s.Method = method
			return s.Run(context.Background())
		}()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		first := &slaBench{}
		first.stop = func(Candidate) {
			if len(first.opened) == 2 {
				cancel()
			}
		}
		s := slaTest(t, first)
		s.Method = method
		if _, err := s.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: an interrupted search: %v", method, err)
		}
		if _, err := s.Run(context.Background()); !errors.Is(err, ErrHasOutcomes) {
			t.Errorf("%s: a second search in the folder: %v", method, err)
		}
		second := &slaBench{}
		s.Bench, s.Resume = second, true
		other := s
		other.Settings = map[string]string{"isl": "4000"}
		if _, err := other.Run(context.Background()); err == nil ||
			!strings.Contains(err.Error(), `--isl was 2000 and is 4000`) {
			t.Errorf("%s: other settings: %v", method, err)
		}
		r, err := s.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range second.opened {
			if tag == first.opened[0] {
				t.Errorf("%s: %s was measured again", method, tag)
			}
		}
		if r.Prefill.Pick.Mapping != whole.Prefill.Pick.Mapping || r.Decode.Pick.Mapping != whole.Decode.Pick.Mapping ||
			r.Decode.Pick.Trial.ITL != whole.Decode.Pick.Trial.ITL {
			t.Errorf("%s: resumed %+v, in one go %+v", method, r.Decode.Pick, whole.Decode.Pick)
		}
		// A search that overwrites it takes nothing away before it has measured.
		s.Resume, s.Overwrite, s.Settings = false, true, map[string]string{"isl": "9"}
		stale := filepath.Join(s.Dir, "stale", outcomeFile)
		if err := errors.Join(os.MkdirAll(filepath.Dir(stale), 0o755),
			os.WriteFile(stale, []byte("{}"), 0o644)); err != nil {
			t.Fatal(err)
		}
		old := outcomesIn(t, s.Dir)
		none := &slaBench{dies: map[string]bool{}}
		none.stop = func(c Candidate) { none.dies[c.Mapping.String()] = true }
		s.Bench = none
		if _, err := s.Run(context.Background()); err != nil {
			t.Errorf("%s: over it, without an outcome: %v", method, err)
		}
		if now := outcomesIn(t, s.Dir); !maps.Equal(now, old) {
			t.Errorf("%s: the outcomes and settings are %v, and were %v", method, now, old)
		}
		s.Bench = &slaBench{}
		if _, err := s.Run(context.Background()); err != nil {
			t.Errorf("%s: over it: %v", method, err)
		}
		if now := outcomesIn(t, s.Dir); now[stale] != "" ||
			!strings.Contains(now[filepath.Join(s.Dir, settingsFile)], `"9"`) {
			t.Errorf("%s: over it there are %v", method, now)
		}
	}
}

// outcomesIn are the outcomes and settings in a folder, by path.
func outcomesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*", outcomeFile))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, path := range append(list, filepath.Join(dir, settingsFile)) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = string(data)
	}
	return all
}

// Candidates run side by side, and the result is the same.
func TestParallel(t *testing.T) {
	b := &slaBench{}
	gate := make(chan struct{})
	var opened atomic.Int32
	s := slaTest(t, b)
	s.Parallel = 3
	s.Bench = openFunc(func(ctx context.Context, c Candidate) (Subject, error) {
		e, err := b.Open(ctx, c)
		n := opened.Add(1)
		if n == 3 {
			close(gate)
		}
		if n <= 3 {
			<-gate // until three are open
		}
		return e, err
	})
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if b.top != 3 || b.running != 0 {
		t.Errorf("%d ran at a time, %d still do", b.top, b.running)
	}
	one := slaTest(t, &slaBench{})
	want, err := one.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Prefill.Pick.Mapping != want.Prefill.Pick.Mapping || r.Decode.Pick.Mapping != want.Decode.Pick.Mapping {
		t.Errorf("picks %v and %v, one at a time %v and %v", r.Prefill.Pick.Mapping, r.Decode.Pick.Mapping,
			want.Prefill.Pick.Mapping, want.Decode.Pick.Mapping)
	}
}

type openFunc func(context.Context, Candidate) (Subject, error)

func (f openFunc) Open(ctx context.Context, c Candidate) (Subject, error) { return f(ctx, c) }

// What cannot be measured does not end the search; a bench that cannot start
// anything does.
func TestBrokenCandidates(t *testing.T) {
	s := slaTest(t, &slaBench{fails: map[string]bool{"TP=1": true, "TP=2": true, "TP=4": true, "TP=8": true}})
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if o := r.Prefill.Outcomes[0]; r.Prefill.Pick != nil || o.Status != Broken ||
		!strings.Contains(o.Problem, "no such kernel") {
		t.Errorf("pick %+v, outcome %+v", r.Prefill.Pick, o)
	}
	s = slaTest(t, nil)
	s.Bench = openFunc(func(context.Context, Candidate) (Subject, error) { return nil, errors.New("no permission") })
	if _, err := s.Run(context.Background()); err == nil ||
		!strings.Contains(err.Error(), "starting prefill_1gpus_TP1: no permission") {
		t.Errorf("a bench that starts nothing: %v", err)
	}
}

func TestSearchFaults(t *testing.T) {
	s := slaTest(t, nil)
	s.Space.ISL = 8000
	s.Space.OSL = 500
	s.SLO = SLO{}
	s.Method = "slow"
	s.Space.MinGPUs = 5
	s.Space.MaxGPUs = 7
	err := s.Validate()
	for _, want := range []string{"8500 tokens are more than the context of 8192", "ttft 0 ms", "itl 0 ms",
		"search slow", "no power of two lies between"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	s = slaTest(t, nil)
	s.Space.GPU.MemoryBytes = 1e9
	_, err = s.Run(context.Background())
	var none *NoCandidateError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "for prefill") ||
		!strings.Contains(err.Error(), "for decode") || !strings.Contains(err.Error(), "leave no room") {
		t.Errorf("a model that fits nowhere: %v", err)
	}
}

// Under a target that nothing meets the nearest is picked, with what it would
// take.
func TestRemedies(t *testing.T) {
	s := slaTest(t, &slaBench{})
	s.SLO = SLO{TTFT: 0.005, ITL: 0.0001}
	for _, method := range []Method{Thorough, Fast} {
		s.Method, s.Dir = method, t.TempDir()
		r, err := s.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Prefill.Pick; p.Met || p.Mapping.String() != "TP=8" ||
			!strings.Contains(p.Warning, "no prefill candidate meets the target TTFT of 5 ms") {
			t.Errorf("%s: pick %+v", method, p)
		}
		list := s.Remedies(r.Prefill)
		if len(list) < 2 || !strings.HasPrefix(list[0], "ttft 12.5:") || !strings.HasPrefix(list[1], "isl ") {
			t.Errorf("%s: remedies %q", method, list)
		}
	}
}
