package openai

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/bound"
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
			if r.Outcome != record.OK || contents(r) != "ab" || r.HTTP.Reused != (i == 1) || !r.Sent.Known() ||
				r.Sent < r.Start || r.Done < r.Sent {
				t.Errorf("%s, request %d: %v %+v, %+v", url, i, r.Outcome, r.Failure, r)
			}
			for _, a := range r.Arrivals {
				if !a.UserspaceStamp {
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
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
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
	if r := ask(t.Context(), newTestTarget(t, noCA), say("x")); r.Failure == nil ||
		r.Failure.Type != "ClientConnectorCertificateError" {
		t.Errorf("without the CA: %+v", r.Failure)
	}
	noCert := good
	noCert.TLSCert, noCert.TLSKey = "", ""
	if r := ask(t.Context(), newTestTarget(t, noCert), say("x")); r.Outcome == record.OK {
		t.Error("without a certificate: accepted")
	}
	for _, bad := range []Config{{TLSCA: ca + "x"}, {TLSCA: key}, {TLSCert: cert, TLSKey: ca}, {TLSCert: cert}} {
		bad.Models = []string{"m"}
		if _, err := NewTarget(bad); err == nil || !strings.Contains(err.Error(), "tls-") {
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
		if want := fmt.Sprint(i % 2); r.Outcome != record.OK || contents(r) != want ||
			r.URL != urls[i%2]+"/v1/chat/completions" {
			t.Errorf("request %d: %v %+v, %q from %s", i, r.Outcome, r.Failure, contents(r), r.URL)
		}
	}
	gone := newTestTarget(t, Config{URLs: []string{"unix://" + dir + "/none"}})
	if r := ask(t.Context(), gone, say("x")); r.Failure == nil || r.Failure.Class != record.ClassClient {
		t.Errorf("no socket: %+v", r.Failure)
	}
}

func TestTransportUsed(t *testing.T) {
	std := []Config{{URLs: []string{"https://h"}}, {URLs: []string{"http://h", "https://h"}}, {HTTP2: true},
		{Proxy: "socks5://p:1"}, {Proxy: "https://p:1"},
		{URLs: []string{"unix:///s"}}, {Transport: TransportStd}}
	for _, c := range std {
		if got := c.TransportUsed(); got != TransportStd {
			t.Errorf("%+v goes over %s", c, got)
		}
		c.Models = []string{"m"}
		if c.Transport == "" {
			c.Transport = TransportEpoll
			if _, err := NewTarget(c); err == nil || !strings.Contains(err.Error(), "transport epoll: ") {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	for _, c := range []Config{{}, {Proxy: "http://p:1"}, {Proxy: ProxyNone}, {ConnectionReuse: ReuseNever},
		{ConnectionReuse: ReuseSticky}, {TrustEnv: true, URLs: []string{"http://127.0.0.1"}}} {
		if got := c.TransportUsed(); (got == TransportEpoll) != wire.HasPool {
			t.Errorf("%+v goes over %s", c, got)
		}
	}
}

// The request line has the path as it was written, and a user in the address is
// sent as basic authorization and shown nowhere.
func TestAddressOnTheWire(t *testing.T) { overBoth(t, addressOnTheWire) }

func addressOnTheWire(t *testing.T, via string) {
	got := make(chan string, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		got <- r.RequestURI + " " + user + " " + password
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"a"}}]}`)
	})
	at := strings.Replace(s.URL, "http://", "http://me%40x:pa%2Fss@", 1)
	for _, tt := range []struct{ base, endpoint, want string }{
		{at + "/a%2Fb", "/c%2fd/%41?k=%2F", "/a%2Fb/c%2fd/%41?k=%2F"},
		{at + "/openai/deployments/d/chat/completions?api-version=1", "",
			"/openai/deployments/d/chat/completions?api-version=1"},
	} {
		target := newTestTarget(t, Config{Transport: via, URLs: []string{tt.base}, Endpoint: tt.endpoint})
		r := ask(t.Context(), target, say("x"))
		if sent := <-got; r.Outcome != record.OK || sent != tt.want+" me@x pa/ss" || strings.Contains(r.URL, "pa") ||
			strings.Contains(r.URL, "me%40x") {
			t.Errorf("%v %v: %q was sent, shown %s", r.Outcome, r.Failure, sent, r.URL)
		}
	}
}

// The client's certificate and key are not read without a bound.
func TestTLSFilesTooLarge(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, int64(bound.Document)+1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{TLSCA: large}, {TLSCert: large, TLSKey: os.DevNull},
		{TLSCert: os.DevNull, TLSKey: large}} {
		if _, err := clientTLS(c); !errors.Is(err, bound.ErrTooLarge) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
