package engine

import (
	"testing"
	"time"
)

// A decode worker waits for the keys and values, then goes on with the second
// token: tokens × bytes / bandwidth.
func TestTransfer(t *testing.T) {
	const bytes = 131072
	for _, v := range []struct {
		name      string
		cfg       Config
		tokens    int64
		transfers time.Duration // of the second request
	}{
		{"everything", Config{Transfer: FullPrompt}, 1000, 2048 * time.Microsecond},
		{"what is missing", Config{}, 40, 81920 * time.Nanosecond},
		{"at half the bandwidth", Config{TransferBandwidth: 32e9}, 40, 163840 * time.Nanosecond},
		{"twice as fast", Config{SpeedupRatio: 2}, 40, 40960 * time.Nanosecond},
		{"off", Config{TransferBandwidth: -1}, 0, 0},
		{"sglang", Config{Type: SGLang}, 40, 81920 * time.Nanosecond},
		{"mocker-2025", Config{Type: Mocker2025}, 40, 81920 * time.Nanosecond},
		{"fixed", Config{Timing: Fixed{TTFT: time.Hour, ITL: 5 * time.Millisecond}}, 40, 81920 * time.Nanosecond},
	} {
		v.cfg.Role, v.cfg.KVBytesPerToken, v.cfg.MaxNumSeqs = DecodeOnly, bytes, 1
		e := newEngine(t, v.cfg)
		blocks := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
		submit(t, e, 0, Request{ID: 1, PromptTokens: 1000, MaxTokens: 2, Blocks: blocks})
		submit(t, e, time.Second, Request{ID: 2, PromptTokens: 1000, MaxTokens: 2, Blocks: blocks})
		stepTo(t, e, 999*time.Millisecond)
		first := e.Stats().TransferredTokens
		events := stepTo(t, e, forever)
		if got := brief(events); got != "2 admitted, 2 token, 2 finished" || events[1].Token != 2 {
			t.Fatalf("%s: %s", v.name, got)
		}
		decode := Polynomial{}.Decode(1001.0 / (16384 * 64))
		if v.cfg.Type == Mocker2025 {
			decode = Polynomial{}.Decode(16.0 / 16384) // whole blocks
		}
		if f, ok := v.cfg.Timing.(Fixed); ok {
			decode = f.ITL
		}
		want := time.Second + v.transfers + sped(decode, max(v.cfg.SpeedupRatio, 1))
		if got := events[1].At; got != want {
			t.Errorf("%s: token 2 at %v, want %v", v.name, got, want)
		}
		if got := e.Stats().TransferredTokens - first; got != v.tokens {
			t.Errorf("%s: %d tokens travelled, want %d", v.name, got, v.tokens)
		}
	}
	e := newEngine(t, Config{Role: DecodeOnly})
	if err := e.Submit(0, Request{ID: 1, PromptTokens: 5, MaxTokens: 1}); err == nil {
		t.Error("a request that is over was taken")
	}
}

// A prefill worker ends with the first token, and can do so with outputs that
// it could never hold.
func TestPrefillOnly(t *testing.T) {
	cfg := small(VLLM, 10)
	cfg.Role = PrefillOnly
	got := brief(play(t, cfg, numbered(1, 25, 1000), numbered(2, 25, 1)))
	if want := "1 admitted, 2 admitted, 1 token, 1 handed over, 2 token, 2 finished"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The speed-up of decoding leaves prompts alone.
func TestDecodeSpeedup(t *testing.T) {
	p := Polynomial{}
	got := play(t, Config{DecodeSpeedupRatio: 2}, Request{ID: 1, PromptTokens: 100, MaxTokens: 2})
	first := p.Prefill(100)
	if want := first + sped(p.Decode(101.0/(16384*64)), 2); got[1].At != first || got[2].At != want {
		t.Errorf("tokens at %v and %v, want %v and %v", got[1].At, got[2].At, first, want)
	}
}
