package kube

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// forwardTo is a fake with a service and two pods, whose port-forwards lead to
// a server that answers with the length of what it gets.
func forwardTo(t *testing.T) *fakeAPI {
	f := newFakeAPI(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}))
	t.Cleanup(s.Close)
	f.forward = strings.TrimPrefix(s.URL, "http://")
	for _, name := range []string{"a", "b"} {
		f.put("pods", podObject(name, "frontend", "frontend", running(0)))
	}
	f.put("services", map[string]any{"kind": "Service", "apiVersion": "v1", "metadata": map[string]any{"name": "front"},
		"spec": map[string]any{"selector": map[string]any{labelType: "frontend"}, "ports": []any{
			map[string]any{"name": "metrics", "port": 9090, "targetPort": 9090},
			map[string]any{"name": "http", "port": 80, "targetPort": "http"}}}})
	return f
}

func post(f *Forward, size int) error {
	resp, err := http.Post(f.URL(), "text/plain", strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err == nil && string(got) != fmt.Sprint(size) {
		err = fmt.Errorf("%d bytes arrived as %s", size, got)
	}
	return err
}

func TestForwardManyAtOnceAndAnew(t *testing.T) {
	f := forwardTo(t)
	c := f.cluster()
	if err := c.MayForward(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var notes []string
	fw, err := c.Forward(t.Context(), "front", "", func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	if fw.port != 8000 || fw.pod != "a-frontend-x" {
		t.Errorf("it leads to port %d of %s", fw.port, fw.pod)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := post(fw, 1000*i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// The pod goes, and with it the connection; the address stays.
	f.delete("pods", "a-frontend-x")
	f.breakAll()
	http.DefaultClient.CloseIdleConnections()
	eventually(t, func() bool { return post(fw, 7) == nil })
	if fw.pod != "b-frontend-x" {
		t.Errorf("it leads to %s now", fw.pod)
	}
	// What the kubelet cannot connect to is said.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.forward = l.Addr().String()
	f.mu.Unlock()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := post(fw, 7); err == nil {
		t.Error("a request was answered that nobody got")
	}
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(strings.Join(notes, "\n"), "nothing listens on port 8000")
	})
	if err := fw.Close(); err != nil {
		t.Error(err)
	}
	if err := post(fw, 1); err == nil {
		t.Error("it forwards after its end")
	}
}

// A service at which nothing listens is said once, however many connections
// there are, and so is that it answers again.
func TestForwardSaysAFailureOnce(t *testing.T) {
	f := forwardTo(t)
	var mu sync.Mutex
	var notes []string
	fw, err := f.cluster().Forward(t.Context(), "front", "", func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		fw.failed(errors.New("nothing listens"))
	}
	if err := post(fw, 7); err != nil {
		t.Error(err)
	}
	if err := fw.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(notes, "\n")
	if n := strings.Count(all, "nothing listens"); n != 1 || !strings.Contains(all, "it works again; 10 connections") {
		t.Errorf("%d notes of %d say what failed:\n%s", n, len(notes), all)
	}
}

func TestForwardFaults(t *testing.T) {
	f := forwardTo(t)
	c := f.cluster()
	f.put("services", map[string]any{"kind": "Service", "apiVersion": "v1", "metadata": map[string]any{"name": "none"},
		"spec": map[string]any{"selector": map[string]any{"app": "none"}, "ports": []any{map[string]any{"port": 80}}}})
	f.put("services", map[string]any{"kind": "Service", "apiVersion": "v1",
		"metadata": map[string]any{"name": "headless"},
		"spec":     map[string]any{"ports": []any{map[string]any{"port": 80}}}})
	for _, test := range []struct{ service, port, says string }{
		{"absent", "", "service-name"},
		{"front", "grpc", `no port "grpc"; it has 9090 (metrics), 80 (http)`},
		{"front", "metrics", ""},
		{"front", "80", ""},
		{"none", "", "no pod behind the service none (app=none) is ready, of 0"},
		{"headless", "", "selects no pods"},
	} {
		fw, err := c.Forward(t.Context(), test.service, test.port, t.Logf)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s %s: %v", test.service, test.port, err)
		}
		if err == nil {
			if err := fw.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	f.denied["create pods/portforward"] = true
	if err := c.MayForward(t.Context()); err == nil || !strings.Contains(err.Error(), "create pods/portforward") {
		t.Errorf("got %v", err)
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]string{"svc/a": "a ", "service/a:http": "a http", "services/a:80": "a 80",
		"a": "", "pod/a": "", "svc/": "", "svc/a:": "", "svc/a/b": "", "svc/:80": ""} {
		name, port, err := ParseTarget(text)
		if (err == nil) != (want != "") || err == nil && name+" "+port != want {
			t.Errorf("%s: %q %q, %v", text, name, port, err)
		}
	}
}

// Who measures learns that the way broke, and not that it is a new one since.
func TestForwardWatch(t *testing.T) {
	f := forwardTo(t)
	fw, err := f.cluster().Forward(t.Context(), "front", "", func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	still := fw.watch()
	if err := post(fw, 7); err != nil {
		t.Fatal(err)
	}
	if still(true) {
		t.Error("a way that carried a request is said to have broken")
	}
	cut := fw.watch()
	f.breakAll()
	http.DefaultClient.CloseIdleConnections()
	if !cut(true) {
		t.Error("a way that broke is not said to")
	}
	eventually(t, func() bool { return post(fw, 7) == nil })
	if !cut(false) {
		t.Error("a way that was made anew meanwhile is not said to have broken")
	}
	if fw.watch()(true) {
		t.Error("a new way is said to have broken")
	}
	if err := fw.Close(); err != nil {
		t.Error(err)
	}
}
