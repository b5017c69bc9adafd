package openai

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"headway/record"
	"headway/workload"
)

func TestNoConnection(t *testing.T) {
	leaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	l.Close()
	https := serveTLS(t, func(http.ResponseWriter, *http.Request) {})
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	hangUp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			c, err := hangUp.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(func() { hangUp.Close(); <-stopped })

	for _, tt := range []struct {
		url     string
		class   record.Class
		kind    string
		message string
		advice  string
		via     string
	}{
		{"http://" + free, "refused", "ClientConnectorError", "connecting: connection refused", "port-forward",
			TransportStd},
		{"http://user:hunter2@" + free, "refused", "ClientConnectorError", "connecting: connection refused",
			"start the server", TransportEpoll},
		{https.URL, "tls", "ClientConnectorCertificateError", "certificate", "AIPERF_HTTP_SSL_VERIFY", ""},
		{strings.Replace(plain.URL, "http:", "https:", 1), "tls", "ClientConnectorSSLError",
			"the server answered https with plain HTTP", "write http:// instead", ""},
		{"https://" + hangUp.Addr().String(), "tls", "ClientConnectorSSLError", "TLS handshake: ",
			"write http:// instead", ""},
	} {
		target := newTestTarget(t, Config{Transport: tt.via, URLs: []string{tt.url}})
		r := ask(t.Context(), target, say("x"))
		f := r.Failure
		if f == nil || f.Class != tt.class || f.Type != tt.kind || f.Code != 0 ||
			!strings.Contains(f.Message, tt.message) {
			t.Errorf("%s: %+v", tt.url, f)
			continue
		}
		if strings.Contains(f.Message+r.URL, "hunter2") {
			t.Errorf("a password is told: %s %s", f.Message, r.URL)
		}
		if a := Advice(*f, r.URL); !strings.Contains(a, tt.advice) {
			t.Errorf("%s: advice %q, want one with %q", tt.url, a, tt.advice)
		}
		if r.Sent.Known() || !r.Start.Known() || !r.Done.Known() || r.HTTP.GotConn.Known() {
			t.Errorf("%s: times of what did not happen: %+v", tt.url, r)
		}
	}
}

// http spoken to a TLS port.
func TestPlainToTLS(t *testing.T) { overBoth(t, testPlainToTLS) }

func testPlainToTLS(t *testing.T, via string) {
	s := serveTLS(t, func(http.ResponseWriter, *http.Request) {})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{strings.Replace(s.URL, "https:", "http:", 1)}})
	r := ask(t.Context(), target, say("x"))
	if r.Failure == nil || r.Failure.Class != record.ClassHTTP4 ||
		!strings.Contains(r.Failure.Message, "HTTP request to an HTTPS server") {
		t.Errorf("failure %+v", r.Failure)
	}
}

func TestUnconnected(t *testing.T) {
	dns := &net.OpError{Op: "dial", Net: "tcp",
		Err: &net.DNSError{Err: "no such host", Name: "frontend.ns.svc.cluster.local", IsNotFound: true}}
	f := unconnected(fmt.Errorf("x: %w", dns), false)
	if f.Class != record.ClassDNS || f.Message != "looking up frontend.ns.svc.cluster.local: no such host" {
		t.Errorf("dns: %+v", f)
	}
	if f := unconnected(&net.OpError{Op: "dial", Err: context.DeadlineExceeded},
		false); f.Class != record.ClassTimeout {
		t.Errorf("timeout: %+v", f)
	}
	if f := unconnected(fmt.Errorf("too many open files"), false); f.Class != record.ClassClient {
		t.Errorf("descriptors: %+v", f)
	}
}

func TestRequestThatCannotBeMade(t *testing.T) { overBoth(t, testRequestThatCannotBeMade) }

func testRequestThatCannotBeMade(t *testing.T, via string) {
	target := newTestTarget(t, Config{Transport: via, URLs: []string{"http://127.0.0.1:1"}})
	r := ask(t.Context(), target, workload.Request{Extra: []byte(`{`)})
	if r.Failure == nil || r.Failure.Class != record.ClassClient || !r.Start.Known() || !r.Done.Known() ||
		r.Sent.Known() {
		t.Errorf("%+v %+v", r.Failure, r)
	}
}

func TestAdvice(t *testing.T) {
	for _, tt := range []struct {
		f       record.Failure
		address string
		want    string
	}{
		{record.Failure{Class: record.ClassDNS}, "http://frontend.ns.svc.cluster.local:8000",
			"kubectl port-forward svc/frontend 8000:8000"},
		{record.Failure{Class: record.ClassDNS}, "frontend", "inside a Kubernetes cluster"},
		{record.Failure{Class: record.ClassDNS}, "http://nosuch.example.com", "check its spelling"},
		{record.Failure{Class: record.ClassRefused}, "http://localhost", "for example http://localhost:8000"},
		{record.Failure{Class: record.ClassRefused}, "http://10.0.0.1:8000", "Nothing listens at 10.0.0.1:8000"},
		{record.Failure{Class: record.ClassHTTP4, Code: 401}, "http://h", "--api-key"},
		{record.Failure{Class: record.ClassHTTP4, Code: 403}, "http://h", "--api-key"},
		{record.Failure{Class: record.ClassHTTP4, Code: 404}, "http://h/v1/x", "(the path /v1/x) and --model"},
		{record.Failure{Class: record.ClassHTTP4, Code: 429}, "http://h", "lower --concurrency"},
		{record.Failure{Class: record.ClassHTTP5, Code: 503}, "http://h", "--wait-for-model-timeout"},
		{record.Failure{Class: record.ClassHTTP5, Code: 599}, "http://h", "its log"},
		{record.Failure{Class: record.ClassHTTP, Code: 308}, "http://h", "https://"},
		{record.Failure{Class: record.ClassTimeout, Message: "no end"}, "http://h", "--request-timeout-seconds"},
		{record.Failure{Class: record.ClassTimeout, Message: "connecting: x"}, "http://h:1", "Nothing answered at h:1"},
		{record.Failure{Class: record.ClassReset}, "http://h:443", "write https://"},
		{record.Failure{Class: record.ClassReset}, "http://h:80", "closes connections"},
		{record.Failure{Class: record.ClassGarbage}, "https://h", "not an OpenAI-compatible server"},
		{record.Failure{Class: record.ClassClient, Message: "too many open files"}, "http://h", "ulimit -n"},
		{record.Failure{Class: record.ClassClient, Message: "cannot assign requested address"}, "http://h",
			"free ports"},
		{record.Failure{Class: record.ClassRefused}, "http://", "needs a scheme"},
		{record.Failure{Class: record.ClassCancelled}, "http://h", ""},
	} {
		got := Advice(tt.f, tt.address)
		if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%+v at %s: %q, want %q in it", tt.f, tt.address, got, tt.want)
		}
	}
}
