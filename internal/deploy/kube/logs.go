package kube

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"headway/internal/bound"
	"headway/internal/deploy"
	"headway/internal/profile"
)

// logs streams the logs of a deployment's pods into files:
// <dir>/<component>/<i>.log, i in the order in which pods of the component
// appeared. A stream that breaks off goes on where it was.
type logs struct {
	cluster    *Cluster
	deployment string
	dir        string

	wg     sync.WaitGroup
	mu     sync.Mutex
	count  map[string]int
	stream map[string]*logStream
	fault  error // the first of a file
}

// logStream is the log of one pod.
type logStream struct {
	path, pod, container string
	worker               bool
	// news has the container's ids as they come: a container that is started
	// again has a log of its own.
	news chan string
	last string
}

func newLogs(c *Cluster, deployment, dir string) *logs {
	return &logs{cluster: c, deployment: deployment, dir: dir, count: map[string]int{}, stream: map[string]*logStream{}}
}

// see begins or continues the stream of a pod whose container has started.
func (l *logs) see(ctx context.Context, p *pod) {
	l.mu.Lock()
	defer l.mu.Unlock()
	main := p.main()
	s, ok := p.status(main)
	if !ok || s.State.Running == nil && s.State.Terminated == nil {
		return
	}
	t := l.stream[p.Metadata.UID]
	if t == nil {
		component := p.component(l.deployment)
		t = &logStream{pod: p.Metadata.Name, container: main, worker: p.worker(l.deployment),
			news: make(chan string, 16),
			path: filepath.Join(l.dir, component, strconv.Itoa(l.count[component])+".log")}
		l.count[component]++
		l.stream[p.Metadata.UID] = t
		l.wg.Go(func() { l.run(ctx, t) })
	}
	if id := fmt.Sprintf("%s#%d", s.ID, s.RestartCount); t.last != id {
		t.last = id
		select {
		case t.news <- id:
		default: // it is behind by many restarts; one look shows the newest
		}
	}
}

// gone ends the stream of a pod that is no more.
func (l *logs) gone(uid string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.stream[uid]; t != nil {
		close(t.news)
		delete(l.stream, uid)
	}
}

func (l *logs) wait() { l.wg.Wait() }

// run copies one container's log after the other.
func (l *logs) run(ctx context.Context, t *logStream) {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o777); err != nil {
		l.fail(err)
		return
	}
	f, err := os.Create(t.path)
	if err != nil {
		l.fail(err)
		return
	}
	defer func() { l.fail(f.Close()) }()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-t.news:
			if !ok {
				return
			}
		}
		if n > 0 {
			if _, err := fmt.Fprintf(f, "--- headway: the container was started again ---\n"); err != nil {
				l.fail(err)
				return
			}
		}
		if err := l.copyAll(ctx, t, f); err != nil {
			l.fail(err)
			return
		}
	}
}

// copyAll copies the log of the container that runs to its end. What breaks is
// taken up at the time of the last line that was written.
func (l *logs) copyAll(ctx context.Context, t *logStream, f *os.File) error {
	var last time.Time
	for pause, failed := 100*time.Millisecond, 0; ; pause = min(2*pause, 5*time.Second) {
		stream, err := l.open(ctx, t, last)
		if err == nil {
			before := last
			last, err = copyLines(f, stream, last)
			_ = stream.Close() // read to its end, or broken
			var disk *os.PathError
			if errors.As(err, &disk) {
				return err
			}
			if !last.Equal(before) {
				pause, failed = 100*time.Millisecond, 0
			}
			if err == nil {
				return nil // the container has ended
			}
		} else if !transient(err) {
			failed++
		}
		// The kubelet answers 400 and 404 while a container is being made, and
		// when it is gone.
		if failed > 5 || ctx.Err() != nil || len(t.news) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (l *logs) open(ctx context.Context, t *logStream, since time.Time) (io.ReadCloser, error) {
	r := l.cluster.raw.Get().AbsPath("/api/v1/namespaces/"+l.cluster.Namespace+"/pods/"+t.pod+"/log").
		Param("container", t.container).Param("follow", "true").Param("timestamps", "true")
	if !since.IsZero() {
		r = r.Param("sinceTime", since.UTC().Format(time.RFC3339Nano))
	}
	return r.Stream(ctx)
}

// copyLines copies lines without the times that the API server put before
// them, leaving out those that were copied before.
func copyLines(to *os.File, from io.Reader, last time.Time) (time.Time, error) {
	in := bufio.NewReader(from)
	before := last
	for {
		text, err := in.ReadBytes('\n')
		if len(text) > 0 && (err == nil || err == io.EOF) {
			stamp, rest, _ := bytes.Cut(text, []byte(" "))
			at, bad := time.Parse(time.RFC3339Nano, string(stamp))
			if bad != nil {
				rest = text
			} else if !at.After(before) {
				rest = nil
			} else if at.After(last) {
				last = at
			}
			if _, e := to.Write(rest); e != nil {
				return last, e
			}
		}
		if err == io.EOF {
			return last, nil
		}
		if err != nil {
			return last, err
		}
	}
}

func (l *logs) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.fault == nil {
		l.fault = fmt.Errorf("saving the logs of %s: %w", l.deployment, err)
	}
}

// err is the first thing that went wrong with a file.
func (l *logs) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// workers are the files of the pods that run engines.
func (l *logs) workers() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var paths []string
	for _, t := range l.stream {
		if t.worker {
			paths = append(paths, t.path)
		}
	}
	return paths
}

// lastWords is how long the log of a container that has just ended may take to
// arrive.
const lastWords = 3 * time.Second

// end fetches the end of a container's log: that of the container before this
// one, if asked for and there is one, else what was streamed.
func (l *logs) end(ctx context.Context, pod, container string, previous bool) []byte {
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	for {
		for _, p := range []bool{previous, false} {
			if data := l.tail(ctx, pod, container, p); len(data) > 0 {
				return data
			}
		}
		if data := l.streamed(pod); len(data) > 0 {
			return data
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// tail asks the API server for the last lines of a log.
func (l *logs) tail(ctx context.Context, pod, container string, previous bool) []byte {
	r := l.cluster.raw.Get().AbsPath("/api/v1/namespaces/"+l.cluster.Namespace+"/pods/"+pod+"/log").
		Param("tailLines", "200").Param("limitBytes", "1048576").MaxRetries(0)
	if container != "" {
		r = r.Param("container", container)
	}
	if previous {
		r = r.Param("previous", "true")
	}
	data, err := r.DoRaw(ctx)
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(data)
}

// streamed is the end of the file of a pod's log.
func (l *logs) streamed(pod string) []byte {
	l.mu.Lock()
	path := ""
	for _, t := range l.stream {
		if t.pod == pod {
			path = t.path
		}
	}
	l.mu.Unlock()
	data, err := bound.ReadFile(path, bound.Document, "the log")
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(data[max(0, len(data)-1<<16):])
}

// diagnose puts together what the status and the log say: that memory was
// short stands only in the log, when a process of the container ended by it.
func diagnose(d *deployment, f doom, log []byte) *profile.DeadError {
	found := deploy.Death{Backend: d.backend, What: f.message, Log: log, Devices: d.gpus, Path: d.logs.dir}.Diagnose()
	if f.reason == profile.ReasonCrash {
		if found.Reason == profile.ReasonCrash {
			found.Advice = cmp.Or(f.advice, found.Advice)
		}
		return found
	}
	return &profile.DeadError{Reason: f.reason, Message: f.message, Advice: cmp.Or(f.advice, found.Advice),
		Log: found.Log}
}

func lastLines(log []byte) string { return deploy.Death{Log: log}.Diagnose().Log }
