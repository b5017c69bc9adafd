package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/study"
	"headway/report"
)

// summary writes the figures of a run into a folder below root.
func summary(t *testing.T, root, dir string, concurrency int, ttft float64) {
	t.Helper()
	text := fmt.Sprintf(`{"schema_version":"1.0","input_config":{"loadgen":{"concurrency":%d},"endpoint":{"model_names":["m"]}},
"time_to_first_token":{"unit":"ms","avg":%g,"p50":%g},"inter_token_latency":{"unit":"ms","avg":5,"p50":5},
"request_latency":{"unit":"ms","avg":500,"p50":500},"request_count":{"unit":"requests","avg":40},
"request_throughput":{"unit":"requests/sec","avg":4},"output_token_throughput":{"unit":"tokens/sec","avg":%d}}`,
		concurrency, ttft, ttft, 100*concurrency)
	write(t, filepath.Join(root, dir, "profile_export_aiperf.json"), text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree is a folder with two runs, a sweep, a comparison and a page.
func tree(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "results")
	summary(t, root, "alone", 4, 50)
	summary(t, root, "deep/er/run", 8, 20)
	for _, c := range []int{1, 2, 10} {
		summary(t, root, fmt.Sprintf("swept/c%d", c), c, 30)
	}
	summary(t, root, "routed/kv/load-1", 4, 50)
	write(t, filepath.Join(root, "routed", report.ComparisonName), "{}")
	write(t, filepath.Join(root, "paged", "report.html"), "<!DOCTYPE html><title>kept</title><script>alert(1)</script>")
	summary(t, root, "alone/phases/warmup", 4, 50)
	return root
}

func handlerOf(dir string) http.Handler {
	return (&Results{Dir: dir, Read: study.Remake{}.Read, Version: "0"}).Handler()
}

func ask(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestScan(t *testing.T) {
	all, cut, err := (&Results{Dir: tree(t)}).scan()
	if err != nil || cut {
		t.Fatal(cut, err)
	}
	var got []string
	for _, e := range all {
		got = append(got, e.Path+" "+e.Kind)
	}
	want := "alone run|deep/er/run run|paged report|routed comparison|swept sweep"
	if text := strings.Join(got, "|"); text != want {
		t.Errorf("found %s, want %s", text, want)
	}
}

// What another procedure left is listed under its own kind, with a page or without,
// and a search that has measured in depth is a search.
func TestScanOtherKinds(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a/points.jsonl", "b/points.jsonl", "b/report.html", "b/search.json"} {
		write(t, filepath.Join(root, name), "{}")
	}
	kinds := map[string]string{"points.jsonl": "profile", "search.json": "search"}
	all, _, err := (&Results{Dir: root, Kinds: kinds}).scan()
	if err != nil || len(all) != 2 || all[0].Kind != "profile" || all[1].Kind != "search" {
		t.Errorf("found %+v, %v; want a profile and a search", all, err)
	}
}

func TestList(t *testing.T) {
	h := handlerOf(tree(t))
	for _, c := range []struct {
		query   string
		want    []string
		without []string
	}{
		{"", []string{"5 of 5 results", "concurrency 1–10", "deep/er/run", `value="swept"`}, []string{"checked"}},
		{"?q=DEEP", []string{"1 of 5 results", `value="DEEP"`}, []string{"swept"}},
		{"?q=deep&r=swept", []string{"2 of 5 results", `aria-label="Compare swept" checked`}, []string{"alone"}},
		{"?sort=ttft", []string{`value="ttft" selected`}, nil},
		{"?q=" + url.QueryEscape(`"><script>alert(1)</script>`), []string{"Nothing is found"},
			[]string{"<script>alert"}},
	} {
		text := ask(h, "/"+c.query).Body.String()
		for _, w := range c.want {
			if !strings.Contains(text, w) {
				t.Errorf("%q: no %q", c.query, w)
			}
		}
		for _, w := range c.without {
			if strings.Contains(text, w) {
				t.Errorf("%q: %q stands in it", c.query, w)
			}
		}
	}
	text := ask(h, "/?sort=ttft").Body.String()
	if strings.Index(text, ">deep/er/run<") > strings.Index(text, ">alone<") {
		t.Error("20 ms come after 50 ms")
	}
}

func TestOverlay(t *testing.T) {
	root := tree(t)
	h := handlerOf(root)
	w := ask(h, "/overlay?r=swept&r=alone&q=x")
	text := w.Body.String()
	for _, want := range []string{"2 results", "All loads", "swept", "alone", `href="/?q=x&amp;r=swept&amp;r=alone"`,
		`<figure id="plot-1"`} {
		if w.Code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%d, no %q", w.Code, want)
		}
	}
	if w := ask(h, "/overlay"); w.Code != http.StatusBadRequest {
		t.Errorf("nothing selected: %d", w.Code)
	}
	query := url.Values{}
	for i := range mostBeside + 1 {
		name := fmt.Sprintf("n%02d", i)
		summary(t, root, name, 4, 50)
		query.Add("r", name)
	}
	if w := ask(h, "/overlay?"+query.Encode()); w.Code != http.StatusBadRequest ||
		!strings.Contains(w.Body.String(), "at most 12") {
		t.Errorf("13 results: %d", w.Code)
	}
	query["r"] = query["r"][1:]
	if w := ask(h, "/overlay?"+query.Encode()); w.Code != http.StatusOK {
		t.Errorf("12 results: %d %s", w.Code, w.Body)
	}
}

// What is no result of the list is not opened, however its path is written.
func TestTraversal(t *testing.T) {
	root := tree(t)
	outside := filepath.Dir(root)
	summary(t, outside, "secret", 4, 50)
	write(t, filepath.Join(outside, "secret", "report.html"), "outside")
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(root, "linked")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "half", "x"), "")
	for name, to := range map[string]string{"report.html": "report.html",
		"profile_export_aiperf.json": "profile_export_aiperf.json"} {
		if err := os.Symlink(filepath.Join(outside, "secret", to), filepath.Join(root, "half", name)); err != nil {
			t.Fatal(err)
		}
	}
	h := handlerOf(root)
	for _, path := range []string{"../secret", "alone/../../secret", "/etc", outside + "/secret", "linked", "half",
		"linked/report.html", "..", "alone/phases/warmup", "paged/", `..\secret`, "alone\x00", ""} {
		for _, page := range []string{"/open?r=", "/overlay?r=alone&r="} {
			w := ask(h, page+url.QueryEscape(path))
			if w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "outside") {
				t.Errorf("%s%q: %d", page, path, w.Code)
			}
		}
	}
	for _, path := range []string{"/../secret/report.html", "/paged/report.html", "/%2e%2e/secret/report.html",
		"/style.css"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "outside") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// A page that lies in the folder is shown as it is, in a sandbox without our origin.
func TestOpen(t *testing.T) {
	root := tree(t)
	h := handlerOf(root)
	w := ask(h, "/open?r=paged")
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(w.Body.String(), "kept") ||
		!strings.HasPrefix(policy, "sandbox allow-scripts") || strings.Contains(policy, "allow-same-origin") ||
		!strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%d, policy %s", w.Code, policy)
	}
	if w := ask(h, "/open?r=alone"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "All results") {
		t.Errorf("a page that is made: %d", w.Code)
	}
	// A folder that is one result is that result, also one level of a sweep.
	for _, dir := range []string{"alone", "swept", "paged", "swept/c2"} {
		if w := ask(handlerOf(filepath.Join(root, dir)), "/"); w.Code != http.StatusOK ||
			strings.Contains(w.Body.String(), "lay them over") {
			t.Errorf("%s alone: %d", dir, w.Code)
		}
	}
	if w := ask(handlerOf(filepath.Join(root, "missing")), "/"); w.Code != http.StatusInternalServerError {
		t.Errorf("a missing folder: %d", w.Code)
	}
}

// Looking at results changes nothing.
func TestNoWrites(t *testing.T) {
	root := tree(t)
	before := listing(t, root)
	h := handlerOf(root)
	for _, path := range []string{"/", "/open?r=alone", "/overlay?r=swept&r=alone", "/open?r=paged"} {
		ask(h, path)
	}
	if after := listing(t, root); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func listing(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
