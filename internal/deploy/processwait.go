package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"headway/internal/openai"
	"headway/internal/profile"
)

// whileAlive is a context that ends with ctx or when the engine does.
func (e *processEngine) whileAlive(ctx context.Context) (context.Context, func()) {
	within, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.alive, func() { cancel(context.Cause(e.alive)) })
	return within, func() { stop(); cancel(nil) }
}

// reason is why something on the engine failed: its death, if it died. A
// connection that breaks is seen before the process has been taken up, so that
// a moment is given to that.
func (e *processEngine) reason(within context.Context, err error) error {
	if within.Err() == nil {
		settle, stop := context.WithTimeout(e.alive, time.Second)
		defer stop()
		<-settle.Done()
	}
	var dead *profile.DeadError
	switch {
	case e.alive.Err() != nil:
		return context.Cause(e.alive)
	case errors.As(context.Cause(within), &dead):
		return dead
	case within.Err() != nil:
		return context.Cause(within)
	}
	return err
}

// death sorts what happened by the log.
func (e *processEngine) death(what string) *profile.DeadError {
	log, err := logTail(e.log)
	if err != nil {
		log = []byte(err.Error())
	}
	if own, err := logTail(e.own); err == nil && len(own) > 0 {
		log = slices.Concat(own, []byte("\n"), log)
	}
	d := Death{Backend: e.bench.cfg.Backend, What: fmt.Sprintf("%s %s", e.name, what), Log: log,
		Devices: strings.Join(e.gpus, ","), Path: e.log}
	d.Killed = e.child != nil && !e.child.running() && e.child.killed()
	d.HostMemory = d.Killed && oomKills() > e.kills
	return d.Diagnose()
}

// late is the death of an engine that does not answer in time.
func (e *processEngine) late() *profile.DeadError {
	return &profile.DeadError{Reason: profile.ReasonTimeout,
		Message: fmt.Sprintf("%s did not answer within %v", e.name, e.bench.cfg.StartTimeout),
		Advice:  "its log is " + e.log + "; give it longer with --engine-start-timeout"}
}

// memoryGrace is how long an engine whose log speaks of memory may take to end
// by itself, which says more than we can.
const memoryGrace = 3 * time.Second

// watchMemory reads the log of an engine that starts: some keep their server
// running when their workers are out of memory, and would never answer.
func (e *processEngine) watchMemory(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if since.IsZero() {
			log, err := logTail(e.log)
			if text, _ := MemoryLine(log); err == nil && text != "" {
				since = time.Now()
			}
		} else if time.Since(since) > memoryGrace {
			e.die(e.death("is out of memory and still running"))
			return
		}
	}
}

// awaitHealth waits until the engine says that it is ready. That its model has
// another name than requests will ask for is found here, and is no fault of
// the candidate.
func awaitHealth(ctx context.Context, client openai.Config, path string) error {
	if path == "" {
		path = "/v1/models"
	}
	get := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for pause := 50 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		body, err := fetch(ctx, &get, client, path)
		if err == nil && path == "/v1/models" {
			var names []string
			names, err = openai.ModelNames(body)
			if len(names) > 0 && !slices.Contains(names, client.Models[0]) {
				return fmt.Errorf("the engine serves the models %q, not %q; name the model as the engine does, or "+
					"pass {served_name} to it", names, client.Models[0])
			}
			if len(names) == 0 && err == nil {
				err = errors.New("no model is listed yet")
			}
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s%s: %w", client.URLs[0], path, err)
		case <-time.After(pause):
		}
	}
}

func fetch(ctx context.Context, get *http.Client, client openai.Config, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, client.URLs[0]+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header = client.Headers.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if client.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+client.APIKey)
	}
	resp, err := get.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read, or of no use
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("it answers %s", resp.Status)
	}
	return body, err
}

// Answers waits until the server is ready, lists the model and answers a
// request for one token. health is the path that answers 200 when it is ready;
// empty is /v1/models, which has to list the model. An error that waiting
// cannot change, such as another model's name, comes at once.
func Answers(ctx context.Context, client openai.Config, health string, limit time.Duration) error {
	client.Defaults()
	if err := awaitHealth(ctx, client, health); err != nil {
		return err
	}
	// A first answer may need kernels to be compiled, which takes minutes; the
	// probe's own request is bounded by ctx.
	return openai.Ready(ctx, client, openai.Probe{Mode: openai.ReadyInference, Timeout: limit, Interval: time.Second})
}

// oomKills is how often the kernel ended a process for want of memory since it
// started, 0 where it does not say (/proc/vmstat).
func oomKills() int {
	data, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(data, []byte("\noom_kill "))
	if !ok {
		return 0
	}
	number, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.Atoi(string(number))
	if err != nil {
		return 0
	}
	return n
}

// withoutVariable leaves a variable out of an environment.
func withoutVariable(environ []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// shellWords writes a command so that a shell can read it.
func shellWords(argv []string) string {
	var out []string
	for _, w := range argv {
		if w == "" || strings.ContainsAny(w, " \t\r\n'\"\\$`*?[]{}()<>|&;#~!") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}
