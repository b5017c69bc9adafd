package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Forward is an address of this host behind which is a pod, as a rule one of a
// service. The address stays when the pod or the API server goes: the next
// connection is made through whatever pod is ready then.
type Forward struct {
	cluster *Cluster
	to      string // in words: svc/NAME, pod/NAME
	find    func(context.Context) (pod string, port int64, err error)
	note    func(format string, args ...any)

	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu   sync.Mutex
	conn httpstream.Connection
	old  []httpstream.Connection // that new connections no longer use
	pod  string
	port int64
	n    int
	made int // connections to pods
	lost int // connections that failed since one that worked
}

// ParseTarget reads svc/NAME, svc/NAME:PORT or the same with service/; PORT is
// a number or a name.
func ParseTarget(text string) (name, port string, err error) {
	kind, rest, ok := strings.Cut(text, "/")
	if ok && (kind == "svc" || kind == "service" || kind == "services") {
		name, port, _ = strings.Cut(rest, ":")
	}
	if name == "" || strings.ContainsAny(name, "/ ") || strings.HasSuffix(rest, ":") {
		return "", "", fmt.Errorf("%q: must be svc/NAME or svc/NAME:PORT", text)
	}
	return name, port, nil
}

// Forward listens on a free port of this host and leads connections to a ready
// pod behind a service. It returns when a first way there has been made. note
// hears when the way is made anew. The caller closes it.
func (c *Cluster) Forward(ctx context.Context, service, port string, note func(format string, args ...any)) (*Forward,
	error) {
	return c.forward(ctx, &Forward{to: "svc/" + service, note: note,
		find: func(ctx context.Context) (string, int64, error) { return c.behindService(ctx, service, port) }})
}

// forwardPod is [Cluster.Forward] to a port of one pod, and says nothing while it
// goes.
func (c *Cluster) forwardPod(ctx context.Context, pod string, port int64) (*Forward, error) {
	return c.forward(ctx, &Forward{to: "pod/" + pod, note: func(string, ...any) {},
		find: func(context.Context) (string, int64, error) { return pod, port, nil }})
}

// forward opens the way.
func (c *Cluster) forward(ctx context.Context, f *Forward) (*Forward, error) {
	f.cluster = c
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if _, _, err := f.connection(ctx); err != nil {
		f.cancel()
		return nil, fmt.Errorf("forwarding to %s in %s: %w", f.to, c.Namespace, err)
	}
	var err error
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		f.hangUp()
		f.cancel()
		return nil, fmt.Errorf("forwarding to %s: %w", f.to, err)
	}
	f.wg.Go(f.accept)
	return f, nil
}

// URL is where the service answers on this host.
func (f *Forward) URL() string { return "http://" + f.listener.Addr().String() }

// Close ends all connections and returns when none is left.
func (f *Forward) Close() error {
	f.cancel()
	err := f.listener.Close()
	f.hangUp()
	f.wg.Wait()
	if f.lost > 1 {
		f.note("port-forward to %s: %d connections failed until the end", f.to, f.lost)
	}
	return err
}

func (f *Forward) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return // closed
		}
		f.wg.Go(func() {
			defer func() { _ = conn.Close() }() // the client sees the end
			if err := f.lead(conn); err != nil && f.ctx.Err() == nil {
				f.failed(err)
			}
		})
	}
}

// lead carries one connection.
func (f *Forward) lead(local net.Conn) error {
	errs, data, via, err := f.streams()
	if err != nil {
		return err
	}
	defer drop(via, errs, data)
	stop := context.AfterFunc(f.ctx, func() { _, _ = data.Reset(), local.Close() })
	defer stop()
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(data, local) // a client that goes ends its requests
		_ = data.Close()
	})
	_, err = io.Copy(local, &firstRead{data, f.worked})
	_, _ = data.Reset(), local.Close() // ends the other direction
	up.Wait()
	if err != nil {
		return nil // the client went
	}
	word, err := io.ReadAll(errs)
	if err == nil && len(word) > 0 {
		f.forget(via)
		return errors.New(string(word))
	}
	return nil
}

// drop gives streams up. One that nobody reads must be reset: what comes for it
// would hold up the others of the connection, and the connection's end.
func drop(via httpstream.Connection, streams ...httpstream.Stream) {
	for _, s := range streams {
		_ = s.Reset() // a connection that has gone took them with it
	}
	via.RemoveStreams(streams...)
}

// streams opens the pair of streams that a connection is, on a new connection
// to the pod when the old one does not take them.
func (f *Forward) streams() (errs, data httpstream.Stream, via httpstream.Connection, err error) {
	for try := range 2 {
		var number int64
		if via, number, err = f.connection(f.ctx); err != nil {
			return nil, nil, nil, err
		}
		errs, data, err = f.pair(via, number)
		if err == nil {
			return errs, data, via, nil
		}
		if f.forget(via) && try == 0 {
			f.note("port-forward to %s: the connection to pod %s broke (%v); it is made anew", f.to, f.pod,
				err)
		}
	}
	return nil, nil, nil, err
}

// pairWait is how long the kubelet may take to acknowledge two streams.
const pairWait = 4 * time.Second

// pair opens the streams of one connection. The library waits 30 seconds for
// an acknowledgement, also on a connection that has broken meanwhile; that is
// left to end by itself.
func (f *Forward) pair(via httpstream.Connection, number int64) (errs, data httpstream.Stream, err error) {
	type pair struct {
		errs, data httpstream.Stream
		err        error
	}
	opened, late := make(chan pair), make(chan struct{})
	defer close(late)
	go func() {
		var p pair
		p.errs, p.data, p.err = f.openPair(via, number)
		select {
		case opened <- p:
		case <-late:
			if p.err == nil {
				drop(via, p.errs, p.data)
			}
		}
	}()
	limit := time.NewTimer(pairWait)
	defer limit.Stop()
	select {
	case p := <-opened:
		return p.errs, p.data, p.err
	case <-via.CloseChan():
		return nil, nil, errors.New("it was closed")
	case <-limit.C:
		return nil, nil, fmt.Errorf("no stream was opened within %v", pairWait)
	}
}

// openPair opens the streams, with the headers that the kubelet knows them by.
func (f *Forward) openPair(via httpstream.Connection, number int64) (errs, data httpstream.Stream, err error) {
	f.mu.Lock()
	f.n++
	id := strconv.Itoa(f.n)
	f.mu.Unlock()
	head := http.Header{}
	head.Set("streamType", "error")
	head.Set("port", strconv.FormatInt(number, 10))
	head.Set("requestID", id)
	if errs, err = via.CreateStream(head); err != nil {
		return nil, nil, fmt.Errorf("opening a stream: %w", err)
	}
	_ = errs.Close() // nothing is written to it
	head.Set("streamType", "data")
	if data, err = via.CreateStream(head); err != nil {
		drop(via, errs)
		return nil, nil, fmt.Errorf("opening a stream: %w", err)
	}
	return errs, data, nil
}

// connection is the connection to the pod, made if there is none that lives.
func (f *Forward) connection(ctx context.Context) (httpstream.Connection, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		select {
		case <-f.conn.CloseChan():
			f.conn = nil
		default:
			return f.conn, f.port, nil
		}
	}
	target, number, err := f.find(ctx)
	if err != nil {
		return nil, 0, err
	}
	err = persist(ctx, callLimit, fmt.Sprintf("forwarding to port %d of pod %s", number, target),
		func(context.Context) (err error) {
			f.conn, err = f.cluster.dial(target)
			return err
		})
	f.pod, f.port = target, number
	f.made++
	return f.conn, number, err
}

// cutWait is how long after a request failed its connection to the pod may take to be
// known as broken.
const cutWait = time.Second

// watch gives a function that says whether the connection to the pod broke or was made
// anew since, up to cutWait later where requests failed.
func (f *Forward) watch() (broke func(failed bool) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	via, made := f.conn, f.made
	return func(failed bool) bool {
		f.mu.Lock()
		anew := f.made != made || f.conn != via
		f.mu.Unlock()
		if anew || via == nil || !failed {
			return anew
		}
		select {
		case <-via.CloseChan():
			return true
		case <-time.After(cutWait):
			return false
		}
	}
}

// forget lets new connections go another way. What via carries goes on, if it
// still can: that it was slow to take one more need not be its end. It is false
// where another connection has said so before.
func (f *Forward) forget(via httpstream.Connection) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != via {
		return false
	}
	f.conn = nil
	f.old = append(f.old, via)
	return true
}

// failed says why a connection failed, unless the one before failed, too: where
// nothing listens, a load generator would fill the screen.
func (f *Forward) failed(err error) {
	f.mu.Lock()
	f.lost++
	first := f.lost == 1
	f.mu.Unlock()
	if first {
		f.note("port-forward to %s: %v (said once, until it works again)", f.to, err)
	}
}

// worked notes that an answer came.
func (f *Forward) worked() {
	f.mu.Lock()
	lost := f.lost
	f.lost = 0
	f.mu.Unlock()
	if lost > 1 {
		f.note("port-forward to %s: it works again; %d connections failed meanwhile", f.to, lost)
	}
}

// firstRead calls then when the first bytes have come.
type firstRead struct {
	io.Reader
	then func()
}

func (r *firstRead) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 && r.then != nil {
		r.then()
		r.then = nil
	}
	return n, err
}

// hangUp closes every connection.
func (f *Forward) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		f.old = append(f.old, f.conn)
	}
	for _, c := range f.old {
		_ = c.Close() // whatever it carried is over
	}
	f.conn, f.old = nil, nil
}

// dial asks for the upgrade: over a websocket, which passes proxies, or the
// older SPDY where the server does not know that.
func (c *Cluster) dial(pod string) (httpstream.Connection, error) {
	at := c.raw.Post().AbsPath("/api/v1/namespaces/" + c.Namespace + "/pods/" + pod + "/portforward").URL()
	trip, upgrade, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialerForStreaming(upgrade, &http.Client{Transport: trip, Timeout: callLimit}, http.MethodPost, at)
	newer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(at, c.config)
	if err != nil {
		return nil, err
	}
	dialer := portforward.NewFallbackDialerForStreaming(newer, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	return conn, err
}
