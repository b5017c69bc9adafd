package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"headway/internal/study"
	"headway/record"
)

// made is a run whose files are written.
type made struct {
	trailer record.Trailer
	records []*record.Record
	header  record.Header
	killed  bool // no trailer, and a partial file alone
}

// answered is a request that was answered, the i-th.
func answered(i int) *record.Record {
	at := record.Time(1 + 1e9*i)
	return &record.Record{Index: i, Outcome: record.OK, Streamed: true, Planned: at, Start: at, Sent: at + 1e6,
		Ack:  at + 2e6,
		Done: at + 5e8, Arrivals: []record.Arrival{{At: at + 1e8, Kind: record.Content, Tokens: 1, Bytes: 1},
			{At: at + 5e8, Kind: record.Content, Tokens: 1, Bytes: 1}}, Finish: "length", TokensIn: 5, TokensOut: 2}
}

// failing is one that failed.
func failing(i int, class record.Class, message string) *record.Record {
	r := answered(i)
	r.Outcome, r.Arrivals, r.Failure = record.Failed, nil, &record.Failure{Class: class, Type: "X", Message: message}
	return r
}

// write writes the run's files into a folder, and gives that.
func (m made) write(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "records.jsonl")
	if m.killed {
		path += ".partial"
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if m.header.ID == "" {
		m.header.ID = "run-1"
	}
	m.header.URL, m.header.Model, m.header.Streaming = "http://h:8000", "m", true
	w, err := record.NewWriter(f, m.header)
	for _, r := range m.records {
		err = errors.Join(err, w.Take(r))
	}
	m.trailer.Begin, m.trailer.End = 1, record.Time(1e9*(1+len(m.records)))
	if m.killed {
		err = errors.Join(err, w.Flush(), f.Close())
	} else {
		err = errors.Join(err, w.Close(m.trailer), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if !m.killed {
		one, err := study.Remake{}.Records(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := one.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read makes the checks of a folder.
func read(t *testing.T, dir string) map[string]Result {
	t.Helper()
	all := map[string]Result{}
	for _, r := range OfFolder(dir, nil).Run(t.Context()) {
		all[r.Name] = r
	}
	return all
}

func twenty() (list []*record.Record) {
	for i := range 20 {
		list = append(list, answered(i))
	}
	return list
}

func TestGoodFolder(t *testing.T) {
	all := read(t, made{records: twenty()}.write(t, t.TempDir()))
	for _, name := range []string{"folder", "killed runs", "results", "files", "complete", "counts", "failures",
		"timeouts",
		"client"} {
		expect(t, all, name, OK)
	}
	expect(t, all, "objectives", Skipped, "none was given")
}

func TestFolderFaults(t *testing.T) {
	late := failing(20, record.ClassTimeout, "no end of the reply within 5s")
	invalid := &record.Audit{Verdict: record.AuditInvalid, Reasons: []record.AuditReason{{Level: record.AuditInvalid,
		Code: "late_sends", Found: "sends were late by 1 s", Change: "use more processors"}}}
	doubtful := *invalid
	doubtful.Verdict = record.AuditDoubtful
	for name, c := range map[string]struct {
		run   made
		check string
		want  Status
		says  string
	}{
		"killed": {made{records: twenty(), killed: true}, "killed runs", Fail, "report --recover"},
		"interrupted": {made{records: twenty(), trailer: record.Trailer{Cancelled: true}}, "complete", Fail,
			"interrupted"},
		"ended itself": {made{records: twenty(), trailer: record.Trailer{Aborted: "5 refused"}}, "complete", Fail,
			"5 refused"},
		"recovered": {made{records: twenty(), trailer: record.Trailer{Warnings: []record.Warning{{Code: "recovered"}}}},
			"complete", Fail, "was killed"},
		"some failed": {made{records: append(twenty(), late)}, "failures", Warn, "1 of 21 requests failed"},
		"all failed": {made{records: []*record.Record{failing(0, record.ClassRefused, "connecting: refused")}},
			"failures",
			Fail, "Nothing listens"},
		"out of time": {made{records: append(twenty(), late), header: record.Header{Concurrency: 64}}, "timeouts", Fail,
			"1 requests ran out of time at concurrency 64 (no end of the reply within 5s)"},
		"client invalid": {made{records: twenty(), trailer: record.Trailer{Audit: invalid}}, "client", Fail, "use " +
			"more"},
		"client doubtful": {made{records: twenty(), trailer: record.Trailer{Audit: &doubtful}}, "client", Warn,
			"near a bound"},
		"a warning": {made{records: twenty(), trailer: record.Trailer{Warnings: []record.Warning{{Code: "proxied",
			Text: "through a proxy"}}}}, "warnings", Warn, "proxied: through a proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, read(t, c.run.write(t, t.TempDir())), c.check, c.want, c.says)
		})
	}
}

func TestFolderObjectives(t *testing.T) {
	for goal, want := range map[string]Status{"time_to_first_token avg < 10ms": Fail, "time_to_first_token avg " +
		"< 10s": OK} {
		dir := made{records: twenty(), header: record.Header{
			Config: []byte(`{"objective":["` + goal + `"]}`)}}.write(t, t.TempDir())
		expect(t, read(t, dir), "objectives", want)
	}
}

// Files that are missing, and those of two runs in one folder.
func TestFolderFiles(t *testing.T) {
	dir := made{records: twenty()}.write(t, t.TempDir())
	if err := os.Remove(filepath.Join(dir, "profile_export_aiperf.csv")); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, dir), "files", Warn, "profile_export_aiperf.csv", "report --write")

	other := made{records: twenty()[:5], header: record.Header{ID: "run-2"}}.write(t, t.TempDir())
	summary := "profile_export_aiperf.json"
	text, err := os.ReadFile(filepath.Join(other, summary))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, summary), text, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, dir), "counts", Fail, "20 answered requests in the records, 5 in")

	alone := t.TempDir()
	if err := os.WriteFile(filepath.Join(alone, summary), text, 0o600); err != nil {
		t.Fatal(err)
	}
	all := read(t, alone)
	expect(t, all, "results", OK, "1 summary without requests")
	expect(t, all, "files", Warn, "records.jsonl")
	expect(t, all, "summaries", Warn, "few_samples")
	expect(t, all, "counts", Skipped)
}

// A summary of aiperf's is all that there is of its runs.
func TestFolderSummaries(t *testing.T) {
	for text, want := range map[string]Status{
		`{"schema_version":"1.4","request_count":{"unit":"requests","avg":10},"was_cancelled":false}`: OK,
		`{"schema_version":"1.4","request_count":{"unit":"requests","avg":10},"was_cancelled":true}`:  Fail,
		`{"schema_version":"1.4","was_cancelled":false}`:                                              Fail,
		`{"schema_version":"1.4","request_count":{"unit":"requests","avg":10},"was_cancelled":false,
			"error_request_count":{"unit":"requests","avg":3}}`: Warn,
		`{"cut off`: Fail,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "profile_export_aiperf.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := read(t, dir)["summaries"]; r.Status != want {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

func TestFolderWithoutResults(t *testing.T) {
	all := read(t, t.TempDir())
	expect(t, all, "results", Fail, "kubectl logs job/NAME")
	expect(t, all, "counts", Skipped, "needs the check results, which failed")
	all = read(t, filepath.Join(t.TempDir(), "nowhere"))
	expect(t, all, "folder", Fail)
	expect(t, all, "results", Skipped)
	broken := t.TempDir()
	made{records: twenty()}.write(t, filepath.Join(broken, "a"))
	if err := os.WriteFile(filepath.Join(broken, "records.jsonl"), []byte("{]"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, read(t, broken), "results", Warn, "not read")
}
