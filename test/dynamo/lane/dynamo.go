//go:build linux

package lane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Model is the name under which the workers serve.
const Model = "lane"

// startTime is how long a deployment may take until it answers.
const startTime = 2 * time.Minute

// Dynamo is an installation, and a folder for all that it writes.
type Dynamo struct {
	venv, dir string
}

// Open prepares the folder dir for an installation: the model is made in it.
func Open(venv, dir string) (*Dynamo, error) {
	d := &Dynamo{venv: venv, dir: dir}
	if err := os.Mkdir(d.Model(), 0o700); err != nil {
		return nil, err
	}
	return d, WriteModel(d.Model())
}

// Model is the folder of the model, with its tokenizer.
func (d *Dynamo) Model() string { return filepath.Join(d.dir, "model") }

// Python is the installation's interpreter.
func (d *Dynamo) Python() string { return filepath.Join(d.venv, "bin", "python") }

// Environ is that of Dynamo's programs: workers are found in a folder, events go
// by ZeroMQ, everything is said to 127.0.0.1, and what is kept stays in the folder.
// The workers' publishers listen on every address all the same: Dynamo has no
// option for that.
func (d *Dynamo) Environ(discovery string) []string {
	return []string{"PATH=" + filepath.Dir(d.Python()) + ":" + os.Getenv("PATH"), "HOME=" + d.dir, "TMPDIR=" + d.dir,
		"DYN_DISCOVERY_BACKEND=file", "DYN_FILE_KV=" + discovery, "DYN_EVENT_PLANE=zmq", "DYN_REQUEST_PLANE=tcp",
		"DYN_TCP_RPC_HOST=127.0.0.1", "DYN_TCP_RESPONSE_STREAM_HOST=127.0.0.1", "DYN_EVENT_PLANE_HOST=127.0.0.1",
		"DYN_SELF_HOST_METADATA=0", "DYN_SDK_DISABLE_ANSI_LOGGING=1", "DYN_LOG=warn", "HF_HUB_OFFLINE=1"}
}

// Deployment is a frontend with workers of its own.
type Deployment struct {
	// URL is the frontend's.
	URL               string
	workers, frontend *process
}

// Deploy starts a frontend whose router has the mode, over so many mocker
// workers with Dynamo's defaults, and waits until it serves the model. Names and
// modes together have to differ.
func (d *Dynamo) Deploy(ctx context.Context, name, mode string, workers int) (*Deployment, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(d.dir, strings.ReplaceAll(name+" "+mode, " ", "_"))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	env, n := d.Environ(filepath.Join(dir, "discovery")), strconv.Itoa(workers)
	s := &Deployment{URL: "http://127.0.0.1:" + port}
	s.workers, err = start("workers", dir, env, d.Python(), "-m", "dynamo.mocker", "--model-path", d.Model(),
		"--model-name", Model, "--num-workers", n)
	if err != nil {
		return nil, err
	}
	s.frontend, err = start("frontend", dir, env, d.Python(), "-m", "dynamo.frontend", "--http-host", "127.0.0.1",
		"--http-port", port, "--router-mode", mode, "--router-min-initial-workers", n)
	if err == nil {
		err = s.ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends the frontend and the workers.
func (s *Deployment) Stop() error {
	var errs []error
	for _, p := range []*process{s.frontend, s.workers} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(errs...)
}

// ready waits until the frontend lists the model.
func (s *Deployment) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		if body, err := get(ctx, s.URL+"/v1/models"); err == nil && strings.Contains(body, `"`+Model+`"`) {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to serve the model: %w; its log ends with\n%s", s.URL, ctx.Err(),
				s.frontend.tail())
		case <-s.frontend.ended:
			return fmt.Errorf("the frontend ended: %w\n%s", s.frontend.err, s.frontend.tail())
		case <-s.workers.ended:
			return fmt.Errorf("the workers ended: %w\n%s", s.workers.err, s.workers.tail())
		}
	}
}

// get is the body of a page.
func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	return do(request)
}

// do is the body of a reply; one without success is an error.
func do(request *http.Request) (string, error) {
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", request.URL, reply.Status, body)
	}
	return string(body), err
}

// freePort is a port that nothing listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
