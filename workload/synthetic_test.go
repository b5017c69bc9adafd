package workload

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// collect ranges over a Source that must not fail.
func collect(t testing.TB, src Source) []Request {
	t.Helper()
	var all []Request
	for r, err := range src {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
		if len(all) > 1_000_000 {
			t.Fatal("the source has no end")
		}
	}
	return all
}

func plain() Synthetic {
	return Synthetic{Key: Seed(42), Requests: 100, ISL: Length{Mean: 550, SD: 20}, OSL: Length{Mean: 64}}
}

func TestSyntheticPlain(t *testing.T) {
	s := plain()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	all := collect(t, s.Source())
	if len(all) != 100 {
		t.Fatalf("%d requests, want 100", len(all))
	}
	keys, sessions := map[Key]bool{}, map[string]bool{}
	for i, r := range all {
		if r.Index != i || r.Turn != 0 || r.Turns != 1 || r.Timed || r.Session == "" || r.OutputTokens != 64 ||
			r.Prompt.Tokens < 400 {
			t.Errorf("request %d: %+v", i, r)
		}
		keys[r.Prompt.Key], sessions[r.Session] = true, true
	}
	if len(keys) != 100 || len(sessions) != 100 {
		t.Errorf("%d prompts and %d sessions, want 100 different ones of each", len(keys), len(sessions))
	}
	if !reflect.DeepEqual(all, collect(t, s.Source())) {
		t.Error("a second range differs")
	}
	s.Requests = 40
	if !reflect.DeepEqual(all[:40], collect(t, s.Source())) {
		t.Error("a shorter plan is not the beginning of a longer one")
	}
}

func TestStreamsDiffer(t *testing.T) {
	base := Stream{Run: "r", Level: "10", Repeat: 0, Mode: "a"}
	keys := map[Key]string{base.Key(1): "base", base.Key(2): "seed"}
	for _, s := range []Stream{
		{"s", "10", 0, "a"}, {"r", "1", 0, "a"}, {"r", "10", 1, "a"}, {"r", "10", 0, "b"},
		{"", "10", 0, "a"}, {"10", "r", 0, "a"}, {"r", "a", 0, "10"},
	} {
		keys[s.Key(1)] = "x"
	}
	if len(keys) != 9 {
		t.Errorf("%d different keys, want 9", len(keys))
	}
	// No prompt of one level is one of another.
	seen := map[Key]bool{}
	for _, level := range []string{"1", "2", "5"} {
		s := plain()
		s.Key = Stream{Level: level}.Key(1)
		s.PrefixPool, s.PrefixTokens = 3, 100
		for _, r := range collect(t, s.Source()) {
			if seen[r.Prompt.Key] {
				t.Fatalf("level %s repeats the prompt %x", level, r.Prompt.Key)
			}
			seen[r.Prompt.Key] = true
		}
	}
}

func TestSyntheticSessions(t *testing.T) {
	s := plain()
	s.Requests = 997
	s.Turns = Length{Mean: 4, SD: 1.5}
	s.TurnDelay, s.TurnDelaySD, s.TurnDelayRatio = time.Second, 100*time.Millisecond, 0.5
	s.SystemTokens, s.PrefixPool, s.PrefixTokens = 30, 4, 70
	s.Arrivals = Arrivals{Pattern: Poisson, Rate: 5}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	all := collect(t, s.Source())
	if len(all) != 997 {
		t.Fatalf("%d requests", len(all))
	}
	checkTurns(t, all)
	prefixes := map[Key]bool{}
	var delays []float64
	last := time.Duration(0)
	for i, r := range all {
		if r.Timed != (r.Turn == 0) || r.Timed && r.At <= last {
			t.Fatalf("request %d (turn %d) timed %v at %v after %v", i, r.Turn, r.Timed, r.At, last)
		}
		if r.Prompt.SystemTokens != 30 || r.Prompt.SystemKey != all[0].Prompt.SystemKey {
			t.Fatalf("request %d has another system message", i)
		}
		if want := map[bool]int{true: 70}[r.Turn == 0]; r.Prompt.Prefix.Tokens != want {
			t.Fatalf("turn %d has a prefix of %d tokens", r.Turn, r.Prompt.Prefix.Tokens)
		}
		if r.Turn == 0 {
			last = r.At
			prefixes[r.Prompt.Prefix.Key] = true
		} else {
			delays = append(delays, r.Delay.Seconds())
		}
	}
	if len(prefixes) != 4 {
		t.Errorf("%d prefixes in use, want 4", len(prefixes))
	}
	if mean, v := moments(delays); math.Abs(mean-0.5) > 0.02 || math.Abs(math.Sqrt(v)-0.05) > 0.01 {
		t.Errorf("turn delays have mean %v and deviation %v, want 0.5 and 0.05", mean, math.Sqrt(v))
	}
}

// checkTurns checks that sessions are whole and follow each other.
func checkTurns(t *testing.T, all []Request) {
	t.Helper()
	done := map[string]bool{}
	for i := 0; i < len(all); {
		first := all[i]
		if done[first.Session] || first.Turn != 0 || first.Turns < 1 || i+first.Turns > len(all) {
			t.Fatalf("request %d begins no session: %+v", i, first)
		}
		done[first.Session] = true
		for n := range first.Turns {
			r := all[i+n]
			if r.Index != i+n || r.Session != first.Session || r.Turn != n || r.Turns != first.Turns {
				t.Fatalf("request %d is not turn %d of %s: %+v", i+n, n, first.Session, r)
			}
		}
		i += first.Turns
	}
}

func TestSyntheticUntil(t *testing.T) {
	s := plain()
	s.Requests, s.Until = 0, 20*time.Second
	s.Arrivals = Arrivals{Pattern: Constant, Rate: 10}
	all := collect(t, s.Source())
	if len(all) != 199 || all[198].At != 19900*time.Millisecond {
		t.Errorf("%d requests until %v, want 199 until 19.9s", len(all), all[len(all)-1].At)
	}
	s.Sessions = 7
	if n := len(collect(t, s.Source())); n != 7 {
		t.Errorf("%d requests of 7 sessions", n)
	}
}

func TestSyntheticEntries(t *testing.T) {
	count := func(sampling Sampling) (keys []Key, distinct int) {
		s := plain()
		s.Requests, s.Entries, s.Sampling = 30, 10, sampling
		seen := map[Key]bool{}
		for _, r := range collect(t, s.Source()) {
			keys = append(keys, r.Prompt.Key)
			seen[r.Prompt.Key] = true
		}
		return keys, len(seen)
	}
	sequential, n := count(Sequential)
	if n != 10 || !reflect.DeepEqual(sequential[:10], sequential[10:20]) {
		t.Errorf("sequential: %d prompts", n)
	}
	shuffled, n := count(Shuffle)
	if n != 10 || reflect.DeepEqual(shuffled[:10], shuffled[10:20]) {
		t.Errorf("shuffle: %d prompts, or the same order twice", n)
	}
	for epoch := range 3 {
		once := map[Key]bool{}
		for _, k := range shuffled[10*epoch : 10*epoch+10] {
			once[k] = true
		}
		if len(once) != 10 {
			t.Errorf("shuffle: %d of 10 entries in round %d", len(once), epoch)
		}
	}
	random, _ := count(Random)
	once := map[Key]bool{}
	for _, k := range random[:10] {
		once[k] = true
	}
	if len(once) == 10 {
		t.Error("random: ten draws of ten entries without a repeat")
	}
}

func TestCancelled(t *testing.T) {
	s := plain()
	s.Requests, s.CancelRate, s.CancelAfter = 10_000, 0.1, time.Second
	n := 0
	for _, r := range collect(t, s.Source()) {
		if r.Cancel {
			n++
		}
		if r.Cancel != (r.CancelAfter == time.Second) {
			t.Fatalf("%+v", r)
		}
	}
	if math.Abs(float64(n)-1000) > 5*30 {
		t.Errorf("%d of 10000 are cancelled, want about 1000", n)
	}
}

func TestSyntheticValidate(t *testing.T) {
	s := Synthetic{
		ISL: Length{Mean: -1}, OSL: Length{Mean: 1, SD: -1}, Requests: -1, PrefixPool: 3, CancelRate: 2,
		Turns: Length{Mean: math.NaN()}, TurnDelay: -1, Until: 1, Arrivals: Arrivals{},
	}
	err := s.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"input length mean -1", "output length standard deviation -1", "requests -1",
		"3 prefix prompts of 0",
		"cancellation rate 2", "turns mean NaN", "turn delay -1ns", "end of arrivals"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestLimitCutsSession(t *testing.T) {
	s := plain()
	s.Requests, s.Sessions, s.Turns = 0, 5, Length{Mean: 4}
	for n := range 21 {
		all := collect(t, Limit(s.Source(), n))
		if len(all) != n {
			t.Fatalf("%d requests, want %d", len(all), n)
		}
		checkTurns(t, all)
	}
}

func TestWrappersPassErrors(t *testing.T) {
	bad := errors.New("bad")
	src := func(yield func(Request, error) bool) {
		_ = yield(Request{Session: "a", Turns: 1}, nil) && yield(Request{}, bad)
	}
	law := Arrivals{Pattern: Constant, Rate: 1}
	for name, s := range map[string]Source{
		"Limit": Limit(src, 5), "Untimed": Untimed(src), "Paced": Paced(src, law, 1, 0),
		"Cancelled": Cancelled(src, 1, 1, 0), "WithOutput": WithOutput(src, 1, Length{Mean: 5}),
		"InPhase": InPhase(src, Warmup),
	} {
		n := 0
		var got error
		for _, err := range s {
			n++
			got = err
		}
		if n != 2 || !errors.Is(got, bad) {
			t.Errorf("%s: %d items, the last with %v", name, n, got)
		}
	}
}

func TestWithSystemAndOutput(t *testing.T) {
	src := func(yield func(Request, error) bool) {
		for i, p := range []Prompt{{Text: "a"}, {Text: "b", System: "own"}, {Payload: []byte("{}")},
			{Text: "c", Reference: "r"}} {
			if !yield(Request{Index: i, Turns: 1, Prompt: p}, nil) {
				return
			}
		}
	}
	all := collect(t, WithOutput(WithSystem(src, 9, 20), 1, Length{Mean: 5}))
	for i, want := range [][2]int{{20, 5}, {0, 5}, {0, 0}, {20, 0}} {
		if got := [2]int{all[i].Prompt.SystemTokens, all[i].OutputTokens}; got != want {
			t.Errorf("request %d: %v, want %v", i, got, want)
		}
	}
}

func BenchmarkSynthetic(b *testing.B) {
	s := plain()
	s.Requests = 1000
	for b.Loop() {
		collect(b, s.Source())
	}
}
