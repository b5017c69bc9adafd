package calibrate

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"headway/record"
)

// TestMain is the server's process, too.
func TestMain(m *testing.M) {
	if os.Getenv("HEADWAY_TEST_CALIBRATE") != "" {
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	m.Run()
}

// quick is a calibration of a second or two, whose figures mean nothing.
func quick(t *testing.T) *bench {
	t.Helper()
	t.Setenv("HEADWAY_TEST_CALIBRATE", "1")
	s, err := start(t.Context(), []string{os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	return &bench{server: s, say: func(string) {},
		size: size{streams: 20, warm: 10 * time.Millisecond, window: 100 * time.Millisecond, repeats: 2, open: 80}}
}

func TestEvents(t *testing.T) {
	b := quick(t)
	var r trial
	for r.events == 0 { // where others have the machine, a short window may be empty
		var err error
		if r, err = b.events(t.Context(), 20, 2000); err != nil {
			t.Fatal(err)
		}
	}
	if r.sent <= 0 || r.errors[0] > r.errors[1] || r.errors[1] > r.errors[2] || r.errors[2] == 0 || r.span <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestAll(t *testing.T) {
	b := quick(t)
	var f Found
	for f.Events.Median == 0 { // where others have the machine, a short window may be empty
		var err error
		if f, err = b.all(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range map[string]Spread{"events": f.Events, "requests": f.Requests, "p50": f.P50, "p99": f.P99} {
		if s.Median <= 0 || s.Lowest > s.Median || s.Most < s.Median {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if f.Opened != 80 || f.Bound != "" || f.Limit == "" {
		t.Errorf("%d streams, bound %q, limit %q", f.Opened, f.Bound, f.Limit)
	}
	c := f.Calibration(time.Now())
	if c.EventsPerSecond != f.Events.Median || c.Streams != 0 || c.CPUs == 0 {
		t.Errorf("%+v", c)
	}
}

// TestInterrupted: were the whole measured, it would end with its figures and
// not with the error.
func TestInterrupted(t *testing.T) {
	t.Setenv("HEADWAY_TEST_CALIBRATE", "1")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{Quick: true, Command: []string{os.Args[0]}, Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestNoServer(t *testing.T) {
	for _, command := range [][]string{{"/nonexistent/headway"}, {"true"}} {
		if _, err := Run(t.Context(), Options{Command: command}); err == nil {
			t.Errorf("%q started", command)
		}
	}
}

func TestEventIsOneChunk(t *testing.T) {
	buf, hole := eventTemplate()
	stampInto(buf[hole:hole+stampDigits], 1234567890123)
	if !bytes.HasPrefix(buf, []byte("110\r\ndata: {")) ||
		!bytes.Contains(buf, []byte(`"content":"00000001234567890123"`)) || len(buf) != len("110\r\n")+0x110+2 {
		t.Errorf("%q", buf)
	}
}

func TestSteady(t *testing.T) {
	even, apart := Spread{10, 9, 11}, Spread{10, 5, 11}
	if !(Found{Events: even, Requests: even}).Steady() || (Found{Events: even, Requests: apart}).Steady() ||
		(Found{Events: apart, Requests: even}).Steady() ||
		(Found{Events: even, Requests: even, Others: 1}).Steady() {
		t.Error("repeats that differ are called steady, or the other way round")
	}
	if (Found{Events: even, Requests: even}).Calibration(time.Now()).Noisy ||
		!(Found{Events: even, Requests: apart}).Calibration(time.Now()).Noisy {
		t.Error("what is kept does not say whether the machine was busy")
	}
}

func TestFilesFor(t *testing.T) {
	if n, why := filesFor(100); n != 100 || why != "" {
		t.Errorf("100 connections: %d, %q", n, why)
	}
	if n, why := filesFor(1 << 40); n <= 0 || n >= 1<<40 || why == "" {
		t.Errorf("2^40 connections: %d, %q", n, why)
	}
}

func TestShort(t *testing.T) {
	for _, tt := range []struct {
		t    trial
		want string
	}{
		{trial{sent: 990, events: 990, span: 1}, ""},
		{trial{sent: 900, events: 900, span: 1}, "the server sent 900 events/s of 1000"},
		{trial{sent: 1000, events: 450, span: 0.5}, "the client read 900 events/s of 1000"},
		{trial{sent: 1000, events: 1000, span: 1, together: 0.06}, "read 6 % together"},
	} {
		if got := tt.t.short(1000); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.t, got, tt.want)
		}
	}
}

// All of several events that came in one read are read together, as in
// metric.Pace, whose share is judged with the same bound.
func TestJudgeReadTogether(t *testing.T) {
	r := &record.Record{Start: 1, Done: 9, Text: &record.Text{}, Arrivals: []record.Arrival{
		{At: 2}, {At: 4}, {At: 4, Coalesced: true}, {At: 4, Coalesced: true}, {At: 6}, {At: 8}}}
	for range r.Arrivals {
		r.Text.Content = append(r.Text.Content, "00000000000000000001"...)
	}
	var got trial
	got.judge([]*record.Record{r}, 0, 10, 0)
	if got.events != 6 || got.together != 0.5 {
		t.Errorf("%d events, a share of %v; want 6 and 0.5", got.events, got.together)
	}
}

// A request is whole from its last byte on, and stays so.
func FuzzWhole(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: -2\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if whole(p) && !whole(append(bytes.Clone(p), 'x')) {
			t.Errorf("%q is whole, and no more with a byte after it", p)
		}
		if whole(p) && !bytes.Contains(p, []byte("\r\n\r\n")) {
			t.Errorf("%q is whole without the end of its head", p)
		}
	})
}
