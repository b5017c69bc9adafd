package kube

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"headway/internal/model"
	"headway/internal/profile"
)

// The API server goes away while a deployment starts and comes back without
// its history; what happened in between is seen.
func TestAPIServerRestarts(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, false)
	b, _ := testBench(t, f, nil)
	made := f.made
	f.made = func(name string) {
		made(name)
		go func() {
			f.setDown(true, false)
			f.setReady(name)
			<-time.After(300 * time.Millisecond)
			f.setDown(false, true)
		}()
	}
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // after Ctrl-C, and with the API server away for a moment
	f.setDown(true, false)
	time.AfterFunc(200*time.Millisecond, func() { f.setDown(false, true) })
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
}

// A creation whose answer was lost is not made twice, and not forgotten.
func TestLostAnswer(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	f.lost = 1
	b, _ := testBench(t, f, nil)
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	if n := f.names(graphs); len(n) != 1 {
		t.Errorf("there are %v", n)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInterruptedWhileStarting(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, false)
	b, _ := testBench(t, f, nil)
	ctx, cancel := context.WithCancel(t.Context())
	made := f.made
	f.made = func(name string) { made(name); cancel() }
	if _, err := b.Open(ctx, decode4()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLogWithoutKV(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	b, _ := testBench(t, f, func(c *Config) {
		c.ReadKV = func(io.Reader, int) (int, error) { return 0, errors.New("no line X") }
		c.LogWait = time.Second
	})
	_, err := b.Open(t.Context(), decode4())
	var dead *profile.DeadError
	if !errors.As(err, &dead) || dead.Reason != profile.ReasonLog || !strings.Contains(err.Error(), "0.log") ||
		!strings.Contains(err.Error(), "no line X") {
		t.Errorf("got %v", err)
	}
	e, err := b.Open(t.Context(), profile.Candidate{Phase: profile.Prefill,
		Mapping: model.Mapping{Kind: model.TP, Size: 1}})
	if err != nil {
		t.Fatalf("prefill needs no size of the cache: %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOtherModelEndsTheSearch(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	b, _ := testBench(t, f, func(c *Config) { c.Endpoint.Client.Models = []string{"other"} })
	_, err := b.Open(t.Context(), decode4())
	var dead *profile.DeadError
	if err == nil || errors.As(err, &dead) || !strings.Contains(err.Error(), `["m"]`) {
		t.Errorf("%v does not say that the model has another name, for all candidates", err)
	}
}
