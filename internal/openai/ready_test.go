package openai

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestReady(t *testing.T) {
	leaks(t)
	var models, inference atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") == "Bearer wrong":
			w.WriteHeader(401)
		case r.URL.Path == "/api/v1/models" && r.Method == "GET":
			if models.Add(1) < 3 {
				w.WriteHeader(503)
				return
			}
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"m"},{"id":"n"}]}`)
		case r.URL.Path == "/api/v1/chat/completions":
			if inference.Add(1) < 3 || !strings.Contains(string(b), `"max_completion_tokens":1`) ||
				!strings.Contains(string(b), `"min_tokens":1,`) {
				w.WriteHeader(503)
				return
			}
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":""}}]}`)
		default:
			w.WriteHeader(404)
		}
	})
	c := Config{URLs: []string{s.URL + "/api/v1"}, Models: []string{"m", "n"}, Streaming: true,
		Extra: json.RawMessage(`{"min_tokens":9,"ignore_eos":true}`)}
	for _, tt := range []struct {
		mode              string
		models, inference int32
	}{{ReadyModels, 3, 0}, {ReadyInference, 0, 4}, {"", 0, 4}, {ReadyBoth, 5, 4}} {
		models.Store(0)
		inference.Store(0)
		var tried int32
		err := Ready(t.Context(), c, Probe{Mode: tt.mode, Timeout: time.Minute, Interval: time.Millisecond,
			Tried: func(address string, why error) { tried++ }})
		if err != nil || models.Load() != tt.models || inference.Load() != tt.inference {
			t.Errorf("%q: %v, %d and %d tries", tt.mode, err, models.Load(), inference.Load())
		}
		if want := max(tt.models-1, 0) + tt.inference - 2; tt.mode != ReadyBoth && tried < 2 {
			t.Errorf("%q: told of %d failed tries, want %d", tt.mode, tried, want)
		}
	}
}

func TestNotReady(t *testing.T) {
	leaks(t)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case r.Header.Get("Authorization") == "Bearer wrong-key":
			http.Error(w, `{"error":{"message":"bad key wrong-key"}}`, http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/models"):
			_, _ = io.WriteString(w, `{"data":[{"id":"other"}]}`)
		default:
			<-r.Context().Done()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		c    Config
		p    Probe
		want string
	}{
		{"key", t.Context(), Config{APIKey: "wrong-key"}, Probe{Timeout: time.Hour, Mode: ReadyModels},
			"bad key <redacted>"},
		{"model", t.Context(), Config{}, Probe{Mode: ReadyModels}, `does not list the model "m"`},
		{"late", t.Context(), Config{}, Probe{Timeout: 30 * time.Millisecond}, "no answer within 30ms"},
		{"still failing", t.Context(), Config{},
			Probe{Mode: ReadyModels, Timeout: 30 * time.Millisecond, Interval: time.Millisecond}, "does not list"},
		{"interrupted", ctx, Config{}, Probe{Timeout: time.Hour}, "cancelled"},
		{"mode", t.Context(), Config{}, Probe{Mode: "all"}, "must be models, inference or both"},
		{"negative", t.Context(), Config{}, Probe{Interval: -1}, "must not be negative"},
		{"configuration", t.Context(), Config{Type: "x"}, Probe{}, "endpoint-type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.URLs, tt.c.Models = []string{s.URL}, []string{"m"}
			err := Ready(tt.ctx, tt.c, tt.p)
			// A slow machine may not get an answer in the first times.
			for p := tt.p; tt.name == "still failing" && p.Timeout < time.Minute &&
				!strings.Contains(err.Error(), tt.want); {
				p.Timeout *= 4
				err = Ready(tt.ctx, tt.c, p)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// FuzzModelNames: whatever answers for /v1/models, it is read without harm, and
// what is said of it has a bound.
func FuzzModelNames(f *testing.F) {
	for _, s := range []string{
		`{"object":"list","data":[{"id":"m"},{"id":"n","x":1}]}`, `{"data":null}`, `{"data":[null,{}]}`, `[]`,
		`{"data":{}}`, `{"data":[{"id":5}]}`, "<html>", `{"data":[{"id":"\u0000\ud800"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		names, err := ModelNames(data)
		if err != nil && names != nil || err == nil && !json.Valid(data) {
			t.Fatalf("%q: %q, %v", data, names, err)
		}
		if text := someNames(names); len(text) > 16<<10 {
			t.Fatalf("%q: a message of %d bytes", data, len(text))
		}
		v := overHTTP{exchange: exchange{t: &Target{c: Config{Models: []string{"m"}}, words: newWording(Config{})}}}
		if f := v.lists(data); (f == nil) != slices.Contains(names, "m") || f != nil && len(f.Message) > 32<<10 {
			t.Fatalf("%q lists %q: %v", data, names, f)
		}
	})
}
