package plane

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"headway/test/kube/child"
)

// process is a program of the plane and its log.
type process struct {
	*child.Process
	name, log string
}

// startProcess starts a program with its output in a log file, to which a
// second start appends.
func startProcess(name, path, log string, args []string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer out.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = out, out
	p, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("%w; build.sh makes it", err)
	}
	return &process{Process: p, name: name, log: log}, nil
}

// ready waits until url answers 200.
func (p *process) ready(ctx context.Context, client *http.Client, url, token string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := probe(ctx, client, url, token)
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("%s ended before it was ready: %v; the end of %s:\n%s", p.name, p.Err(), p.log,
				tail(p.log, 3000))
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready: %w (%v); the end of %s:\n%s", p.name, err, ctx.Err(), p.log,
				tail(p.log, 3000))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func probe(ctx context.Context, client *http.Client, url, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// tail is the end of a file, at most n bytes.
func tail(path string, n int) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	return b[max(0, len(b)-n):]
}
