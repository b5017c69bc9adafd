package doctor

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	"headway/internal/audit"
	"headway/record"
	"headway/report"
)

// judged holds a finding against what it must be.
func judged(t *testing.T, name string, f Finding, want Status, says string) {
	t.Helper()
	if f.Status != want || !strings.Contains(f.Seen+" → "+f.Do, says) {
		t.Errorf("%s: %+v, want %s and %q", name, f, want, says)
	}
}

// stream is a reply whose chunks came at times in milliseconds; negative are those
// that came in one read with the chunk before.
func stream(times ...int) *record.Record {
	r := &record.Record{Streamed: true, Outcome: record.OK, Start: 1}
	for _, ms := range times {
		a := record.Arrival{At: record.Time(max(ms, -ms)) * 1e6, Kind: record.Content, Bytes: 1, Coalesced: ms < 0}
		r.Arrivals = append(r.Arrivals, a)
		r.Done = a.At
	}
	return r
}

func TestGathered(t *testing.T) {
	judged(t, "a pace", gathered(stream(50, 60, 70, 80, 90, 100, 110, 120)), OK, "8 chunks came in 8 reads, 70 ms")
	judged(t, "in one read", gathered(stream(50, -50, -50, -50, -50, -50, -50, -50)), Warn, "in 1 read")
	judged(t, "one after the other at the end", gathered(stream(1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007)), Warn,
		"TTFT is late")
	judged(t, "too few", gathered(stream(50, -50, -50)), Skipped, "too short")
	judged(t, "none", gathered(stream()), Skipped, "0 chunks")
}

func TestPerChunk(t *testing.T) {
	judged(t, "one each", perChunk(48, 48), OK, "48 tokens in 48 chunks")
	judged(t, "some without text", perChunk(48, 44), OK, "")
	judged(t, "four each", perChunk(48, 12), Warn, "--stream-interval 1")
	judged(t, "more chunks than tokens", perChunk(10, 48), Warn, "trust neither")
	judged(t, "no text", perChunk(10, 0), Skipped, "")
}

func TestHeadApart(t *testing.T) {
	judged(t, "one segment", headApart(0, 5, 0), OK, "in one segment")
	judged(t, "apart", headApart(5, 5, 0), OK, "in 5 of 5")
	judged(t, "held", headApart(5, 5, 2), Warn, "TCP_NODELAY")
}

func TestCached(t *testing.T) {
	told := func(n int, ttft float64) cacheFacts { return cacheFacts{2000, n, true, ttft, true} }
	silent := func(ttft float64) cacheFacts { return cacheFacts{2000, 0, false, ttft, true} }
	judged(t, "told", cached(told(0, 0.2), told(1984, 0.02)), OK, "1984 of 2000")
	judged(t, "told that not", cached(told(0, 0.2), told(0, 0.19)), Warn, "0 of 2000")
	judged(t, "silent and quick", cached(silent(0.2), silent(0.02)), OK, "usage does not tell")
	judged(t, "silent and slow", cached(silent(0.2), silent(0.19)), Warn, "--enable-prompt-tokens-details")
	judged(t, "nothing", cached(cacheFacts{}, cacheFacts{}), Skipped, "")
}

func TestLengthKept(t *testing.T) {
	judged(t, "kept", lengthKept(32, 3, true), OK, "32 of 32 tokens with it, 3 without")
	judged(t, "always long", lengthKept(32, 32, true), OK, "as many as without")
	judged(t, "ignored", lengthKept(3, 3, true), Warn, "it is ignored")
	judged(t, "not counted", lengthKept(20, 3, false), Skipped, "without usage")
}

func TestClockOff(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 500e6, time.UTC)
	off := func(d time.Duration) Finding {
		return clockOff(at.Add(d).Truncate(time.Second), at, at.Add(100*time.Millisecond))
	}
	for _, d := range []time.Duration{0, 400 * time.Millisecond, -400 * time.Millisecond, 2 * time.Second,
		-2 * time.Second} {
		judged(t, d.String(), off(d), OK, "")
	}
	judged(t, "ahead", off(90*time.Second), Warn, "89 s ahead of")
	judged(t, "behind", off(-90*time.Second), Warn, "89 s behind")
}

func TestCertified(t *testing.T) {
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "host"}, NotAfter: now.AddDate(0, 0, 60)}
	judged(t, "valid", certified("TLS 1.3", c, false, now), OK, `certificate of "host" until 2027-01-29`)
	judged(t, "unchecked", certified("TLS 1.3", c, true, now), Warn, "not checked")
	judged(t, "ends", certified("TLS 1.3", c, false, now.AddDate(0, 0, 55)), Warn, "renew it")
}

func TestExposed(t *testing.T) {
	const page = "# HELP vllm:a b\n# TYPE vllm:a histogram\nvllm:a_bucket{le=\"+Inf\",m=\"} 3\"} 4 # {trace=\"x\"} " +
		"1\n" +
		"vllm:a_sum NaN\nvllm:a_sum{} +Inf 123\n\ndynamo_frontend_x 1e3\n"
	names, odd := families([]byte(page))
	if strings.Join(names, " ") != "dynamo_frontend_x vllm:a_bucket vllm:a_sum" || odd != 0 {
		t.Errorf("%q, %d odd lines", names, odd)
	}
	judged(t, "known", exposed("/metrics", []byte(page)), OK, "3 series names, of Dynamo and vLLM")
	judged(t, "odd lines", exposed("/metrics", []byte(page+"what? 3\nvllm:a b\n")), OK, "2 lines that cannot be read")
	judged(t, "unknown", exposed("/metrics", []byte("go_gc 1\n")), Warn, "none of a known engine")
	judged(t, "JSON", exposed("/metrics", []byte(`{"a": 1}`)), Warn, "not in Prometheus")
	judged(t, "empty", exposed("/metrics", nil), Warn, "not in Prometheus")
}

func FuzzFamilies(f *testing.F) {
	f.Add([]byte("a{b=\"c\"} 1\n"))
	f.Fuzz(func(t *testing.T, page []byte) {
		names, odd := families(page)
		if len(names)+odd > len(page)+1 {
			t.Errorf("%d names and %d odd lines of %d bytes", len(names), odd, len(page))
		}
	})
}

func TestHostJudges(t *testing.T) {
	for _, c := range []struct {
		name  string
		judge func(audit.Host) Finding
		facts audit.Host
		want  Status
		says  string
	}{
		{"processors", processors, audit.Host{Processors: 8, Used: 8}, OK, "8, of which the program uses 8"},
		{"one processor", processors, audit.Host{Processors: 1, Used: 1}, Warn, "two and more"},
		{"a small quota", processors, audit.Host{Processors: 64, Used: 2, Quota: 1.5}, Warn, "may use 1.5"},
		{"throttled", processors, audit.Host{Processors: 64, Used: 4, Quota: 4, Throttled: 1e8}, Warn, "100ms"},
		{"idle", load, audit.Host{Busy: 0.1}, OK, "10 %"},
		{"busy", load, audit.Host{Busy: 0.9}, Warn, "Other programs"},
		{"no steal", steal, audit.Host{}, OK, "0.0 %"},
		{"steal", steal, audit.Host{Stolen: 0.05}, Warn, "5.0 %"},
		{"files", openFiles, audit.Host{Files: 1024, MostFiles: 1048576}, OK, "up to 1048576"},
		{"few files", openFiles, audit.Host{Files: 1024, MostFiles: 1024}, Warn, "ulimit -Hn"},
		{"files unknown", openFiles, audit.Host{}, Skipped, ""},
		{"ports", ports, audit.Host{FirstPort: 32768, LastPort: 60999}, OK, "28232 local ports"},
		{"few ports", ports, audit.Host{FirstPort: 60000, LastPort: 60999}, Warn, "ip_local_port_range"},
		{"closing", ports, audit.Host{FirstPort: 32768, LastPort: 60999, Closing: 20000}, Warn, "20000 sockets"},
		{"ports unknown", ports, audit.Host{}, Skipped, ""},
		{"tsc", clockSource, audit.Host{Clock: "tsc"}, OK, "tsc"},
		{"hpet", clockSource, audit.Host{Clock: "hpet"}, Warn, "slow"},
		{"no clock", clockSource, audit.Host{}, Skipped, ""},
		{"set", clockSet, audit.Host{ClockKnown: true, Synchronized: true}, OK, "follows a reference"},
		{"not set", clockSet, audit.Host{ClockKnown: true}, Warn, "NTP"},
		{"not known", clockSet, audit.Host{}, Skipped, ""},
	} {
		judged(t, c.name, c.judge(c.facts), c.want, c.says)
	}
}

func TestHostIsLookedAt(t *testing.T) {
	s := OfHost(&audit.Calibration{EventsPerSecond: 1e5, RequestsPerSecond: 2e4})
	for _, r := range s.Run(t.Context()) {
		if r.Status == Fail || r.Seen == "" {
			t.Errorf("%+v", r)
		}
		if r.Name == "calibration" && !strings.Contains(r.Seen, "100000 chunks/s, or 20000 requests/s") {
			t.Errorf("%+v", r)
		}
	}
	judged(t, "calibration", (&host{}).calibration(t.Context()), OK, "headway calibrate")
}

// What a failed check takes along, what it does not, and that no check outlives its
// limit.
func TestNeeds(t *testing.T) {
	gives := func(f Finding) func(context.Context) Finding { return func(context.Context) Finding { return f } }
	s := Subject{Checks: []Check{
		{Name: "a", Run: gives(failed("x", "y"))},
		{Name: "b", Needs: []string{"a"}, Run: gives(ok("never"))},
		{Name: "c", Needs: []string{"b"}, Run: gives(ok("never"))},
		{Name: "d", Run: gives(skipped("nothing to look at"))},
		{Name: "e", Needs: []string{"d"}, Run: gives(warn("w", "do"))},
		{Name: "f", Limit: 1, Run: func(ctx context.Context) Finding { <-ctx.Done(); return ok("ended") }},
	}}
	all := s.Run(t.Context())
	got := ""
	for _, r := range all {
		got += r.Name + " " + string(r.Status) + ": " + r.Seen + "\n"
	}
	const want = `a fail: x
b skipped: needs the check a, which failed
c skipped: needs the check b, which was skipped
d skipped: nothing to look at
e warn: w
f ok: ended
`
	if got != want || Worst(all) != Fail || Worst(nil) != OK {
		t.Errorf("%s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if all := s.Run(ctx); all[0].Status != Skipped || Worst(all) != OK {
		t.Errorf("after an interrupt: %+v", all)
	}
}

var reportOptions = report.ConsoleOptions{Markdown: true}

func TestDocumentOfFailures(t *testing.T) {
	s := Subject{Title: "endpoint"}
	all := []Result{{Name: "a", Finding: ok("x")}, {Name: "b", Finding: warn("w", "do")}}
	if d := s.Document(all, true); d != nil {
		t.Error("nothing failed, and something is shown")
	}
	all = append(all, Result{Name: "c", Finding: failed("bad", "mend it")})
	var quiet, whole strings.Builder
	if s.Document(all, true).Write(&quiet, reportOptions) != nil || s.Document(all, false).Write(&whole,
		reportOptions) != nil {
		t.Fatal("not written")
	}
	if strings.Contains(quiet.String(), "| b |") || !strings.Contains(quiet.String(), "| c | fail | bad | mend it |") ||
		!strings.Contains(whole.String(), "1 ok, 1 warning, 1 failed.") {
		t.Errorf("%s\n%s", quiet.String(), whole.String())
	}
}
