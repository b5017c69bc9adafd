package kubelet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// handler serves what the API server asks of a kubelet. Who may ask is the
// TLS configuration's affair.
func (k *Kubelet) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.serveLogs)
	mux.HandleFunc("/portForward/{namespace}/{pod}", k.serveForward)
	return mux
}

// serveLogs writes a container's log with the options of kubectl logs that
// the tests use; one that it does not know is refused.
func (k *Kubelet) serveLogs(w http.ResponseWriter, r *http.Request) {
	pod := k.find(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil {
		http.Error(w, "no such pod", http.StatusNotFound)
		return
	}
	c, err := pod.container(r.PathValue("container"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	o, err := parseLogOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	log := c.current()
	if o.previous {
		if log = c.previous(); log == nil {
			http.Error(w, fmt.Sprintf("previous terminated container %q in pod "+
				"%q not found", c.spec.Name, pod.pod.Name), http.StatusBadRequest)
			return
		}
	}
	o.copy(r.Context(), w, log)
}

// logOptions are those of a request for a log.
type logOptions struct {
	follow, previous, stamps bool
	tail                     int // negative: all lines
	limit                    int // bytes; negative: all
	since                    time.Time
}

func parseLogOptions(r *http.Request) (logOptions, error) {
	o := logOptions{tail: -1, limit: -1}
	for name, values := range r.URL.Query() {
		v := values[0]
		var err error
		switch name {
		case "follow":
			o.follow, err = strconv.ParseBool(v)
		case "previous":
			o.previous, err = strconv.ParseBool(v)
		case "timestamps":
			o.stamps, err = strconv.ParseBool(v)
		case "tailLines":
			o.tail, err = strconv.Atoi(v)
		case "limitBytes":
			o.limit, err = strconv.Atoi(v)
		case "sinceTime":
			o.since, err = time.Parse(time.RFC3339, v)
		case "sinceSeconds":
			var s int
			s, err = strconv.Atoi(v)
			o.since = time.Now().Add(-time.Duration(s) * time.Second)
		default:
			err = errors.New("not played by this kubelet")
		}
		if err != nil {
			return o, fmt.Errorf("log option %s=%s: %w", name, v, err)
		}
	}
	return o, nil
}

var errLimit = errors.New("enough bytes")

// copy writes the log line by line, so that a follower sees each at once.
func (o logOptions) copy(ctx context.Context, w http.ResponseWriter, log *lines) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	left := o.limit
	_ = log.read(ctx, o.tail, o.follow, func(l line) error {
		if l.at.Before(o.since) {
			return nil
		}
		text := l.text + "\n"
		if o.stamps {
			text = l.at.UTC().Format(time.RFC3339Nano) + " " + text
		}
		if left >= 0 {
			text = text[:min(left, len(text))]
			left -= len(text)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if left == 0 {
			return errLimit
		}
		return flush.Flush()
	})
}

// serveForward connects streams of the caller with the ports of a pod.
func (k *Kubelet) serveForward(w http.ResponseWriter, r *http.Request) {
	pod := k.find(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil {
		http.Error(w, "no such pod", http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, forwarder{pod}, pod.pod.Name, string(pod.pod.UID), options,
		4*time.Hour, 30*time.Second, portforward.SupportedProtocols)
}

// forwarder connects to the ports of a pod's programs.
type forwarder struct{ pod *worker }

// PortForward copies both ways until one side ends.
func (f forwarder) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	host := f.pod.hostPort(port)
	if host == 0 {
		return fmt.Errorf("failed to connect to localhost:%d inside the pod: connection refused", port)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(host)))
	if err != nil {
		return err
	}
	defer conn.Close()
	out := make(chan error, 1)
	go func() {
		_, err := io.Copy(stream, conn)
		out <- err
	}()
	in := make(chan error, 1)
	go func() {
		_, err := io.Copy(conn, stream)
		_ = conn.(*net.TCPConn).CloseWrite()
		in <- err
	}()
	select {
	case err = <-out:
	case err = <-in:
		if err == nil {
			err = <-out
		}
	case <-ctx.Done():
	}
	return err
}
