package openai

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/wire"
	"headway/record"
)

func TestHTTP2(t *testing.T) {
	leaks(t)
	answer := func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("spoken to in %s", r.Proto)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range []string{"a", "b"} {
			_, _ = io.WriteString(w, chunk(c))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, endMarker)
	}
	secure := unstarted(t, answer)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	plain := unstarted(t, answer)
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	for _, url := range []string{secure.URL, plain.URL} {
		target := newTestTarget(t, Config{URLs: []string{url}, Streaming: true, HTTP2: true, InsecureSkipVerify: true})
		for i := range 2 {
			req := say("x")
			req.Index = i
			r := ask(t.Context(), target, req)
			if r.Outcome != record.OK || contents(r) != "ab" || r.HTTP.Reused != (i == 1) || !r.Sent.Known() || r.Sent < r.Start || r.Done < r.Sent {
				t.Errorf("%s, request %d: %v %+v, %+v", url, i, r.Outcome, r.Failure, r)
			}
			for _, a := range r.Arrivals {
				if !a.User {
					t.Errorf("%s: an arrival claims the kernel's time: %+v", url, a)
				}
			}
		}
	}
	old := serveTLS(t, answer)
	target := newTestTarget(t, Config{URLs: []string{old.URL}, HTTP2: true, InsecureSkipVerify: true})
	if r := ask(t.Context(), target, say("x")); r.Outcome == record.OK {
		t.Error("a server without HTTP/2 was spoken to")
	}
}

// clientFiles makes a certificate and its key as files, and what trusts it.
func clientFiles(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return cert, key, pool
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func whole(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"w"}}]}`)
}

func TestTLSOptions(t *testing.T) {
	leaks(t)
	cert, key, pool := clientFiles(t)
	s := unstarted(t, whole)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	good := Config{URLs: []string{s.URL}, TLSCA: ca, TLSCert: cert, TLSKey: key}
	if r := ask(t.Context(), newTestTarget(t, good), say("x")); r.Outcome != record.OK || !r.HTTP.TLSDone.Known() {
		t.Errorf("with all options: %+v", r.Failure)
	}
	noCA := good
	noCA.TLSCA = ""
	if r := ask(t.Context(), newTestTarget(t, noCA), say("x")); r.Failure == nil || r.Failure.Type != "ClientConnectorCertificateError" {
		t.Errorf("without the CA: %+v", r.Failure)
	}
	noCert := good
	noCert.TLSCert, noCert.TLSKey = "", ""
	if r := ask(t.Context(), newTestTarget(t, noCert), say("x")); r.Outcome == record.OK {
		t.Error("without a certificate: accepted")
	}
	for _, bad := range []Config{{TLSCA: ca + "x"}, {TLSCA: key}, {TLSCert: cert, TLSKey: ca}, {TLSCert: cert}} {
		bad.Models = []string{"m"}
		if _, err := NewTarget(bad); err == nil || !strings.Contains(err.Error(), "--tls-") {
			t.Errorf("%q %q %q: %v", bad.TLSCA, bad.TLSCert, bad.TLSKey, err)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	leaks(t)
	dir := t.TempDir()
	var urls []string
	for i := range 2 {
		path := filepath.Join(dir, fmt.Sprint("s", i))
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "localhost" || r.URL.Path != "/v1/chat/completions" {
				t.Errorf("host %q, path %q", r.Host, r.URL.Path)
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"choices":[{"message":{"content":"%d"}}]}`, i)
		}))
		_ = s.Listener.Close()
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
		urls = append(urls, "unix://"+path)
	}
	target := newTestTarget(t, Config{URLs: urls})
	for i := range 4 {
		req := say("x")
		req.Index = i
		r := ask(t.Context(), target, req)
		if want := fmt.Sprint(i % 2); r.Outcome != record.OK || contents(r) != want || r.URL != urls[i%2]+"/v1/chat/completions" {
			t.Errorf("request %d: %v %+v, %q from %s", i, r.Outcome, r.Failure, contents(r), r.URL)
		}
	}
	gone := newTestTarget(t, Config{URLs: []string{"unix://" + dir + "/none"}})
	if r := ask(t.Context(), gone, say("x")); r.Failure == nil || r.Failure.Class != record.ClassClient {
		t.Errorf("no socket: %+v", r.Failure)
	}
}

// proxyServer forwards plain requests and tunnels others, and says for what.
func proxyServer(t *testing.T, seen chan<- string) *httptest.Server {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Method + " " + r.URL.Host
		if r.Method != http.MethodConnect {
			whole(w, r)
			return
		}
		to, err := net.Dial("tcp", r.URL.Host)
		if err != nil {
			t.Error(err)
			return
		}
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		back := make(chan struct{})
		go func() { defer close(back); _, _ = io.Copy(c, to); _ = c.Close() }()
		_, _ = io.Copy(to, c)
		_ = to.Close()
		<-back
	})
}

func TestProxy(t *testing.T) {
	leaks(t)
	seen := make(chan string, 4)
	proxy := proxyServer(t, seen)
	behind := serveTLS(t, whole)
	for _, tt := range []struct{ to, want string }{
		{"http://server.invalid:8000", "POST server.invalid:8000"},
		{behind.URL, "CONNECT " + strings.TrimPrefix(behind.URL, "https://")},
	} {
		target := newTestTarget(t, Config{URLs: []string{tt.to}, Proxy: proxy.URL, InsecureSkipVerify: true})
		if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK {
			t.Errorf("%s: %+v", tt.to, r.Failure)
		}
		if got := <-seen; got != tt.want {
			t.Errorf("%s: the proxy saw %q, want %q", tt.to, got, tt.want)
		}
		if err := target.Preconnect(t.Context(), 1); err == nil {
			t.Errorf("%s: opened ahead through a proxy", tt.to)
		}
	}
}

// The environment is read once in a process, so this takes another one.
func TestProxyFromEnvironment(t *testing.T) {
	if os.Getenv("HTTP_PROXY") == "" || os.Getenv("HEADWAY_TEST_PROXY") == "" {
		seen := make(chan string, 4)
		proxy := proxyServer(t, seen)
		c := exec.Command(os.Args[0], "-test.run=^TestProxyFromEnvironment$")
		c.Env = append(os.Environ(), "HTTP_PROXY="+proxy.URL, "NO_PROXY=direct.invalid", "HEADWAY_TEST_PROXY=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := <-seen; got != "POST server.invalid:8000" {
			t.Errorf("the proxy saw %q", got)
		}
		return
	}
	target := newTestTarget(t, Config{URLs: []string{"http://server.invalid:8000"}, TrustEnv: true})
	if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK {
		t.Errorf("%+v", r.Failure)
	}
	c := Config{URLs: []string{"http://direct.invalid"}, TrustEnv: true}
	if wire.HasPool && c.TransportUsed() != TransportEpoll {
		t.Error("an exception from the proxy goes over net/http")
	}
}

func TestTransportUsed(t *testing.T) {
	std := []Config{{URLs: []string{"https://h"}}, {URLs: []string{"http://h", "https://h"}}, {HTTP2: true}, {Proxy: "http://p:1"},
		{URLs: []string{"unix:///s"}}, {Transport: TransportStd}}
	for _, c := range std {
		if got := c.TransportUsed(); got != TransportStd {
			t.Errorf("%+v goes over %s", c, got)
		}
		c.Models = []string{"m"}
		if c.Transport == "" {
			c.Transport = TransportEpoll
			if _, err := NewTarget(c); err == nil || !strings.Contains(err.Error(), "--transport epoll: ") {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	for _, c := range []Config{{}, {ConnectionReuse: ReuseNever}, {ConnectionReuse: ReuseSticky}, {TrustEnv: true, URLs: []string{"http://127.0.0.1"}}} {
		if got := c.TransportUsed(); (got == TransportEpoll) != wire.HasPool {
			t.Errorf("%+v goes over %s", c, got)
		}
	}
}
