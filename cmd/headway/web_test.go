package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shownAt = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/`)

// A run with --web is followed to its end, becomes its report, and ends by an
// interrupt with the exit code of the run, with nothing left that listens.
func TestWebOfARun(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	c := exec.Command(program(t), "run", "--simulated", "--streaming", "--concurrency", "2", "--request-count", "20",
		"--isl", "50", "--osl", "10", "-d", dir, "--web", "--web-stay", "inf")
	c.Env = append(os.Environ(), "HEADWAY_MAX_LAG=1h", "HF_HUB_OFFLINE=1")
	errs, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	lines := bufio.NewScanner(errs)
	address := ""
	for address == "" && lines.Scan() {
		address = shownAt.FindString(lines.Text())
	}
	if address == "" {
		t.Fatal("no address is printed")
	}
	// The stream is empty where the run has ended before anybody followed.
	if text := fetched(t, address+"events"); text != "" && (!strings.Contains(text, "event: state") ||
		!strings.HasSuffix(text, "event: end\ndata:\n\n")) {
		t.Errorf("the stream: %.300s", text)
	}
	// It has ended then, and the report is there.
	if text := fetched(t, address); !strings.Contains(text, `id="pictures"`) {
		t.Errorf("after the end there is no report: %.300s", text)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest := ""
	for lines.Scan() {
		rest += lines.Text() + "\n"
	}
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, rest)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("somebody still listens")
	}
}

// An interrupt ends headway view, and takes its port with it.
func TestViewInterrupted(t *testing.T) {
	t.Parallel()
	c := exec.Command(program(t), "view", t.TempDir())
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	lines := bufio.NewScanner(out)
	lines.Scan()
	address := shownAt.FindString(lines.Text())
	if text := fetched(t, address); !strings.Contains(text, "0 of 0 results") {
		t.Errorf("an empty folder: %.300s", text)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("somebody still listens")
	}
}

func fetched(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	reply, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
