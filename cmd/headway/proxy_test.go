package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cli"
)

// A run through a proxy says so in its files, and its password nowhere; one that
// goes by a proxy of the environment says that.
func TestProxyOption(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		t.Setenv(name, "")
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "model.invalid" {
			http.Error(w, "not a request to a proxy", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"word"}}]}`)
	}))
	defer proxy.Close()
	address := strings.Replace(proxy.URL, "http://", "http://me:pass-w0rd@", 1)
	run := func(options ...string) (int, string, string) {
		dir := t.TempDir()
		code, _, errs := runHeadway(append([]string{"run", "--url", "http://model.invalid", "--model", "m",
			"--tokenizer", "builtin",
			"--isl", "10", "--osl", "2", "--request-count", "2", "--concurrency", "1", "--artifact-dir", dir,
			"--ui-type", "none"}, options...)...)
		return code, dir, errs
	}
	code, dir, errs := run("--proxy", address)
	if want := "warning: requests go through the proxy " + proxy.URL + ":"; code != cli.Done ||
		strings.Count(errs, want) != 1 {
		t.Errorf("exit code %d, want %q in\n%s", code, want, errs)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text)+errs, "pass-w0rd") {
			t.Errorf("the password is in %s", f)
		}
		if strings.HasSuffix(f, "_aiperf.json") && !strings.Contains(string(text), `"proxied"`) {
			t.Errorf("%s does not say that there was a proxy", f)
		}
	}

	t.Setenv("http_proxy", proxy.URL)
	if code, _, errs := run("--proxy", "env"); code != cli.Done || strings.Contains(errs, "not used") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	const note = "note: http_proxy is set and not used"
	if _, _, errs := run(); strings.Count(errs, note) != 1 {
		t.Errorf("not once %q:\n%s", note, errs)
	}
	if _, _, errs := run("--proxy", "none"); strings.Contains(errs, note) {
		t.Errorf("%q:\n%s", note, errs)
	}
}
