//go:build linux

package lane

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// workersEach is how many workers a deployment has.
const workersEach = 4

// longestPrompt is above the tokens of any prompt here.
const longestPrompt = 10_000

// rig is what the tests need: two deployments, each with workers of its own, so
// that neither finds the other's prompts in its caches, and headway.
type rig struct {
	ctx     context.Context // ends with the test, or when the user interrupts it
	dynamo  *Dynamo
	kv, rr  *Deployment
	headway string
	dir     string
	// probe is how many prompt tokens headway's request for one token has in a chat,
	// and completion without one.
	probe, completion int
}

// newRig starts Dynamo; all of it ends with the test, however that ends.
func newRig(t *testing.T) *rig {
	t.Helper()
	g := openRig(t)
	g.kv, g.rr = g.deploy(t, "verbs", "kv"), g.deploy(t, "verbs", "round-robin")
	g.probe = g.ask(t, g.kv, `"ignore_eos":true,"min_tokens":1`).Usage.Prompt
	g.completion = g.askAt(t, g.kv, "/v1/completions", `"prompt":"fields"`).Usage.Prompt
	return g
}

// openRig prepares what the tests need, without deployments.
func openRig(t *testing.T) *rig {
	t.Helper()
	venv := os.Getenv("DYNAMO_VENV")
	if venv == "" {
		t.Skip("DYNAMO_VENV is not set: make test-dynamo sets it")
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	t.Cleanup(stop)
	g := &rig{ctx: ctx, dir: t.TempDir()}
	g.headway = filepath.Join(g.dir, "headway")
	build := exec.CommandContext(ctx, "go", "build", "-o", g.headway, "headway/cmd/headway")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building headway: %v\n%s", err, out)
	}
	var err error
	if g.dynamo, err = Open(venv, g.dir); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *rig) deploy(t *testing.T, name, mode string) *Deployment {
	t.Helper()
	s, err := g.dynamo.Deploy(g.ctx, name, mode, workersEach)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the frontend of %s wrote at last:\n%s", mode, s.frontend.tail())
		}
		s.stopNow(t)
	})
	return s
}

// stopNow stops a deployment, which may have been stopped before.
func (s *Deployment) stopNow(t *testing.T) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// answer is what a test reads of a reply in one piece.
type answer struct {
	Usage struct {
		Prompt int `json:"prompt_tokens"`
	}
	refused string // the words, where it was refused
}

// ask sends a chat request for one token with further fields.
func (g *rig) ask(t *testing.T, s *Deployment, fields string) answer {
	t.Helper()
	return g.askAt(t, s, "/v1/chat/completions", `"messages":[{"role":"user","content":"fields"}],`+fields)
}

// askAt sends a request for one token to a path.
func (g *rig) askAt(t *testing.T, s *Deployment, path, fields string) answer {
	t.Helper()
	body := `{"model":"` + Model + `","max_tokens":1,` + fields + `}`
	request, err := http.NewRequestWithContext(g.ctx, http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := do(request)
	if err != nil {
		return answer{refused: err.Error()}
	}
	var a answer
	if err := json.Unmarshal([]byte(reply), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// run runs headway and returns its exit code and all that it printed.
func (g *rig) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	return g.exec(t, append([]string{g.headway}, args...))
}

// timed is run for what a busy machine would change: within DYNAMO_TIMED.
func (g *rig) timed(t *testing.T, args ...string) (int, string) {
	t.Helper()
	return g.exec(t, append(append(strings.Fields(os.Getenv("DYNAMO_TIMED")), g.headway), args...))
}

func (g *rig) exec(t *testing.T, command []string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(g.ctx, command[0], command[1:]...)
	cmd.Dir, cmd.WaitDelay = g.dir, time.Minute
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Env = []string{"HOME=" + g.dir, "XDG_STATE_HOME=" + filepath.Join(g.dir, "state"),
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + g.dir}
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// sent is what records say of the requests to a server.
type sent struct {
	Counts
	// cancelled are those of a warm-up that were given up when the measurement
	// ended: what the server did for them is between nothing and this.
	cancelled Counts
}

// recorded are the counts of the records below a folder, of requests to s. Each
// request of a measurement has to be answered.
func recorded(t *testing.T, dir string, s *Deployment) sent {
	t.Helper()
	var c sent
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Base(path) == "records.jsonl" {
			c.read(t, path, s.URL)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *sent) read(t *testing.T, path, url string) {
	t.Helper()
	for _, line := range lines(t, path) {
		var r struct {
			Outcome, URL string
			Warmup       bool
			Streamed     bool
			Usage        struct {
				Prompt int `json:"prompt_tokens"`
				Output int `json:"completion_tokens"`
			}
			WantOut int `json:"want_out"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		switch {
		case r.Outcome == "" || !strings.HasPrefix(r.URL, url+"/"): // header, trailer, another server's
		case r.Outcome == "ok":
			c.Counts = c.plus(answeredAs(r.Streamed, r.Usage.Prompt, r.Usage.Output))
		case r.Outcome == "cancelled" && r.Warmup:
			c.cancelled = c.cancelled.plus(Counts{Failed: 1, Prompt: longestPrompt, Output: r.WantOut})
		default:
			t.Errorf("%s: %s", path, line)
		}
	}
}

// answeredAs are the counts of one reply.
func answeredAs(streamed bool, prompt, output int) Counts {
	c := Counts{Prompt: prompt, Output: output}
	if c.Streamed = 1; !streamed {
		c.Streamed, c.Whole = 0, 1
	}
	return c
}

// agree says that a server counted what the records have.
func (c sent) agree(served Counts) bool {
	more := served.minus(c.Counts)
	return more.Streamed == 0 && more.Whole == 0 && more.Open == 0 && between(more.Failed, c.cancelled.Failed) &&
		between(more.Prompt, c.cancelled.Prompt) && between(more.Output, c.cancelled.Output)
}

func between(n, most int) bool { return 0 <= n && n <= most }

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}
