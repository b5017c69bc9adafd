package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headway/internal/audit"
	"headway/metric"
	"headway/record"
)

// TestVerdict holds the verdicts of runs against the truth: a simulated server
// in another process logs when requests came and when it wrote each token, on
// machines from idle to starved. VERDICT_BENCH says for how long to go on;
// VERDICT_RUNS is a file of JSON lines to which each run adds one, so that the
// bench can be done in pieces: a piece goes on with the next load. With
// VERDICT_LOAD it takes only loads whose names contain that. It prints a table of
// all runs in the file, docs/accuracy.md has it.
func TestVerdict(t *testing.T) {
	budget, err := time.ParseDuration(os.Getenv("VERDICT_BENCH"))
	if err != nil {
		t.Skip("make bench-verdict runs this")
	}
	path := os.Getenv("VERDICT_RUNS")
	if path == "" {
		path = filepath.Join(t.TempDir(), "runs.jsonl")
	}
	done := readVerdictRuns(t, path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	loads := slices.DeleteFunc(verdictLoads(),
		func(l verdictLoad) bool { return !strings.Contains(l.Name, os.Getenv("VERDICT_LOAD")) })
	for began := time.Now(); time.Since(began) < budget; {
		run := measureVerdict(t, loads[len(done)%len(loads)], len(done))
		done = append(done, run)
		line, err := json.Marshal(run)
		if err == nil {
			_, err = f.Write(append(line, '\n'))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Log("\n" + verdictTable(loads, done))
}

// verdictLoad is a load of the bench: streams of a closed loop, or a schedule.
type verdictLoad struct {
	Name string
	// hogs are busy loops beside the client and the server.
	hogs int
	// nice is the client's niceness: above 0 it starves and the server does not.
	nice   int
	server []string
	client []string
	burst  int // requests of each burst of a trace, 0 where there is none
}

func verdictLoads() []verdictLoad {
	var l verdictList
	for _, hogs := range []int{0, 2} {
		l.closed(10, 10, hogs)
		l.closed(10, 100, hogs)
		l.open(100, "constant", hogs)
		l.closed(100, 100, hogs)
		l.bursts(50, 500, hogs)
		l.open(50, "poisson", hogs)
		l.closed(300, 100, hogs)
		l.open(400, "constant", hogs)
		l.closed(500, 100, hogs)
		l.bursts(20, 4000, hogs)
		l.closed(1000, 10, hogs)
		l.closed(1000, 100, hogs)
	}
	// A client that starves alone.
	for _, n := range [][3]int{{10, 100, 2}, {100, 100, 2}, {300, 50, 2}, {100, 10, 4}, {500, 100, 0}} {
		l.closed(n[0], n[1], n[2])
		l.last().nice, l.last().Name = 15, l.last().Name+", client at nice 15"
	}
	l.open(100, "poisson", 2)
	l.last().nice, l.last().Name = 15, l.last().Name+", client at nice 15"
	// Connections that are made while TTFT counts.
	for _, streams := range []int{100, 1000} {
		l.closed(streams, 100, 0)
		connecting := l.last()
		connecting.client = connecting.client[:len(connecting.client)-2]
		connecting.Name += ", connecting"
	}
	l.closed(10, 100, 6)
	l.open(100, "constant", 6)
	l.closed(100, 10, 6)
	l.open(20, "poisson", 6)
	l.closed(1000, 20, 6)
	l.closed(100, 100, 0, "--transport", "std")
	l.closed(500, 50, 0, "--transport", "std")
	return l
}

// verdictList is loads that are being put together.
type verdictList []verdictLoad

func (l *verdictList) last() *verdictLoad { return &(*l)[len(*l)-1] }

// closed adds streams of a closed loop, each of so many chunks a second. The
// option for connections comes last unless there are more.
func (l *verdictList) closed(streams, perSecond, hogs int, more ...string) {
	itl := 1000 / perSecond
	osl := min(200, max(5, 1500/itl))
	*l = append(*l, verdictLoad{Name: fmt.Sprintf("%d streams × %d/s", streams, perSecond) + beside(hogs, more),
		hogs:   hogs,
		server: []string{"--ttft", "60", "--itl", strconv.Itoa(itl)},
		client: append([]string{"--concurrency", strconv.Itoa(streams), "--request-count",
			strconv.Itoa(max(streams, min(60, 3*streams))),
			"--isl", "20", "--osl", strconv.Itoa(osl), "--preconnect", strconv.Itoa(streams)}, more...)})
}

// open adds two seconds of a schedule.
func (l *verdictList) open(rate int, pattern string, hogs int) {
	*l = append(*l, verdictLoad{Name: fmt.Sprintf("%s %d/s", pattern, rate) + beside(hogs, nil), hogs: hogs,
		server: []string{"--ttft", "30", "--itl", "10"},
		client: []string{"--request-rate", strconv.Itoa(rate), "--arrival-pattern", pattern, "--request-count",
			strconv.Itoa(2 * rate),
			"--isl", "100", "--osl", "10", "--preconnect", "100"}})
}

// bursts adds a trace of bursts of n requests.
func (l *verdictList) bursts(n, isl, hogs int) {
	*l = append(*l, verdictLoad{Name: fmt.Sprintf("bursts of %d, ISL %d", n, isl) + beside(hogs, nil), hogs: hogs,
		burst:  n,
		server: []string{"--ttft", "30", "--itl", "10"},
		client: []string{"--isl", strconv.Itoa(isl), "--preconnect", strconv.Itoa(2 * n)}})
}

func beside(hogs int, more []string) string {
	s := ""
	if hogs > 0 {
		s = fmt.Sprintf(", %d busy loops", hogs)
	}
	if len(more) > 0 {
		s += ", " + more[len(more)-1]
	}
	return s
}

// verdictRun is what a run found of itself beside what was true. Times are in
// seconds.
type verdictRun struct {
	Load     string
	Stamps   record.Verdict
	Schedule record.Verdict
	Codes    []string
	// TTFT, ITL and Late are p50 and p99 as the client has them and as the
	// server's log has them.
	TTFT, ITL, Late sided
	// Gap is the mean planned time between sends, 0 in a closed loop.
	Gap   float64
	Audit *record.Audit
}

type sided struct{ Client, Server [2]float64 }

// off is the larger error of the two quantiles, as a part of the larger of
// least and 5 % of what is true (of whole, where that is not 0).
func (b sided) off(least, whole float64) (ratio, share, seconds float64) {
	for i := range b.Client {
		err, of := math.Abs(b.Client[i]-b.Server[i]), b.Server[i]
		if whole > 0 {
			of = whole
		}
		if r := err / max(least, 0.05*of); r >= ratio {
			ratio, share, seconds = r, err/max(of, 1e-9), err
		}
	}
	return ratio, share, seconds
}

func measureVerdict(t *testing.T, load verdictLoad, seed int) verdictRun {
	t.Helper()
	bin, dir := program(t), t.TempDir()
	log := filepath.Join(dir, "sim.jsonl")
	url, stop := serve(t, bin,
		append([]string{"--log", log, "--timing", "fixed", "--max-num-seqs", "2048", "--num-gpu-blocks-override",
			"1000000",
			"--max-num-batched-tokens", "1000000"}, load.server...)...)
	args := append([]string{"run", "--url", url, "--model", "simulated", "--tokenizer", "builtin", "--streaming",
		"--random-seed", strconv.Itoa(seed), "--artifact-dir", filepath.Join(dir, "run"), "--ui-type", "none"},
		load.client...)
	if load.burst > 0 {
		args = append(args, "--input-file", burstTrace(t, dir, load), "--fixed-schedule")
	}
	relieve := starveBy(t, load.hogs)
	client := exec.Command("nice", append([]string{"-n", strconv.Itoa(load.nice), bin}, args...)...)
	out, err := client.CombinedOutput()
	relieve()
	stop()
	path := filepath.Join(dir, "run", "records.jsonl")
	if _, gone := os.Stat(path); gone != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	records, clock := readRecords(t, path)
	run := verdictRun{Load: load.Name, Audit: readAudit(t, path)}
	run.judge()
	run.compare(records, clock, readTruth(t, log), readReceived(t, log))
	return run
}

// starveBy runs busy loops until the function that it returns is called.
func starveBy(t *testing.T, n int) (relieve func()) {
	t.Helper()
	var hogs []*exec.Cmd
	for range n {
		hog := exec.Command("sh", "-c", "while :; do :; done")
		if err := hog.Start(); err != nil {
			t.Fatal(err)
		}
		hogs = append(hogs, hog)
	}
	relieve = func() {
		for _, hog := range hogs {
			_ = hog.Process.Kill()
			_ = hog.Wait() // it was killed
		}
		hogs = nil
	}
	t.Cleanup(relieve)
	return relieve
}

// burstTrace writes a trace of four bursts, half a second apart.
func burstTrace(t *testing.T, dir string, load verdictLoad) string {
	t.Helper()
	isl := load.client[1]
	var b strings.Builder
	for i := range 4 {
		for range load.burst {
			fmt.Fprintf(&b, `{"timestamp": %d, "input_length": %s, "output_length": 10}`+"\n", 500*i, isl)
		}
	}
	path := filepath.Join(dir, "trace.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// readReceived is when the kernel of the server had each request.
func readReceived(t *testing.T, path string) map[string]int64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]int64{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e struct {
			RequestID string `json:"request_id"`
			Received  int64  `json:"received_ns"`
		}
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all[e.RequestID] = e.Received
	}
	return all
}

func readAudit(t *testing.T, path string) *record.Audit {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := record.NewReader(f, path)
	for err == nil {
		_, err = in.Next()
	}
	trailer, _ := in.Trailer()
	if trailer.Audit == nil {
		t.Fatalf("%s has no audit: %v", path, err)
	}
	return trailer.Audit
}

// compare holds the client's times against the server's log.
func (v *verdictRun) compare(records []*record.Record, clock record.Clock, writes map[string][]write,
	received map[string]int64) {
	var ttft, itl, late [2][]float64
	add := func(to *[2][]float64, client, server float64) {
		to[0], to[1] = append(to[0], client), append(to[1], server)
	}
	first, last := int64(math.MaxInt64), int64(0)
	for _, r := range records {
		w, at := writes[r.RequestID], received[r.RequestID]
		if r.Outcome != record.OK || len(w) == 0 {
			continue
		}
		n := len(w) - 1
		if s, ok := metric.TTFT(r); ok {
			add(&ttft, s, float64(w[0].before-at)/1e9)
		}
		if s, ok := metric.ITL(r); ok && n > 0 {
			add(&itl, s, float64(w[n].before-w[0].before)/1e9/float64(n))
		}
		if s, ok := metric.SendLateness(r); ok && v.Schedule != "" {
			planned := clock.Wall(r.Planned).UnixNano()
			add(&late, s, max(0, float64(at-planned)/1e9))
			first, last = min(first, planned), max(last, planned)
		}
	}
	for _, x := range []struct {
		from [2][]float64
		to   *sided
	}{{ttft, &v.TTFT}, {itl, &v.ITL}, {late, &v.Late}} {
		for i, p := range []float64{50, 99} {
			slices.Sort(x.from[0])
			slices.Sort(x.from[1])
			x.to.Client[i], x.to.Server[i] = metric.Percentile(x.from[0], p), metric.Percentile(x.from[1], p)
		}
	}
	if n := len(late[0]); n > 1 && v.Schedule != "" {
		v.Gap = float64(last-first) / 1e9 / float64(n-1)
	}
}

func readVerdictRuns(t *testing.T, path string) (all []verdictRun) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // the first piece
	}
	for line := range strings.Lines(string(text)) {
		var r verdictRun
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		r.judge() // the rules may be others today
		all = append(all, r)
	}
	return all
}

// judge gives a run the verdicts of its stored facts.
func (v *verdictRun) judge() {
	audit.Judge(v.Audit, 0)
	v.Stamps, v.Schedule, v.Codes = v.Audit.StampsVerdict, v.Audit.ScheduleVerdict, nil
	for _, r := range v.Audit.Reasons {
		v.Codes = append(v.Codes, string(r.Level)[:1]+":"+r.Code)
	}
}
