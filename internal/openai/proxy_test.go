package openai

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"headway/record"
)

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

// cleanEnvironment leaves no proxy in the environment.
func cleanEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUEST_METHOD"} {
		t.Setenv(name, "")
		t.Setenv(strings.ToLower(name), "")
	}
}

func TestProxy(t *testing.T) { overBoth(t, testProxy) }

func testProxy(t *testing.T, via string) {
	seen := make(chan string, 4)
	proxy := proxyServer(t, seen)
	target := newTestTarget(t, Config{Transport: via, URLs: []string{"http://server.invalid:8000"}, Proxy: proxy.URL})
	if err := target.Preconnect(t.Context(), 1); err != nil {
		t.Errorf("opening ahead: %v", err)
	}
	r := ask(t.Context(), target, say("x"))
	if got := <-seen; r.Outcome != record.OK || !r.HTTP.Reused || got != "POST server.invalid:8000" {
		t.Errorf("%+v, reused %v; the proxy saw %q", r.Failure, r.HTTP.Reused, got)
	}
	if r.URL != "http://server.invalid:8000/v1/chat/completions" {
		t.Errorf("url %s", r.URL)
	}
}

// https goes through a tunnel, always over net/http.
func TestProxyTunnel(t *testing.T) {
	leaks(t)
	seen := make(chan string, 4)
	proxy, behind := proxyServer(t, seen), serveTLS(t, whole)
	target := newTestTarget(t, Config{URLs: []string{behind.URL}, Proxy: proxy.URL, InsecureSkipVerify: true})
	r := ask(t.Context(), target, say("x"))
	if got := <-seen; r.Outcome != record.OK || got != "CONNECT "+strings.TrimPrefix(behind.URL, "https://") {
		t.Errorf("%+v; the proxy saw %q", r.Failure, got)
	}
	if err := target.Preconnect(t.Context(), 1); err == nil {
		t.Error("opened ahead through a tunnel")
	}
}

// The proxy gets the credential that is for it, the server the other.
func TestProxyCredentials(t *testing.T) { overBoth(t, proxyCredentials) }

func proxyCredentials(t *testing.T, via string) {
	got := make(chan http.Header, 1)
	line := make(chan string, 1)
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		line <- r.RequestURI
		whole(w, r)
	})
	address := strings.Replace(proxy.URL, "http://", "http://me:pa%2Fss@", 1)
	target := newTestTarget(t,
		Config{Transport: via, URLs: []string{"http://server.invalid/a%2Fb?x=1"}, Proxy: address, APIKey: "key"})
	r := ask(t.Context(), target, say("x"))
	h := <-got
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:pa/ss")); r.Outcome != record.OK ||
		h.Get("Proxy-Authorization") != want ||
		h.Get("Authorization") != "Bearer key" {
		t.Errorf("%+v; headers %v", r.Failure, h)
	}
	if got := <-line; got != "http://server.invalid/a%2Fb/v1/chat/completions?x=1" {
		t.Errorf("request line %s", got)
	}
}

// A failure behind a proxy names the proxy, without its password, in the same
// words over both transports.
func TestFailuresNameTheProxy(t *testing.T) { overBoth(t, failuresNameTheProxy) }

func failuresNameTheProxy(t *testing.T, via string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	l.Close()
	refuses := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "who are you", http.StatusProxyAuthRequired)
	})
	hangsUp := strings.TrimPrefix(rawServer(t, script("")), "http://")
	for _, tt := range []struct{ proxy, class, message, advice string }{
		{free, "refused", "connecting: connection refused", "Requests go through a proxy"},
		{strings.TrimPrefix(refuses.URL, "http://"), "http_4xx", "who are you", "The proxy wants a user"},
		{hangsUp, "reset", "the connection broke before the reply began: closed by the server",
			"Requests go through a proxy"},
	} {
		target := newTestTarget(t,
			Config{Transport: via, URLs: []string{"http://server.invalid"}, Proxy: "http://me:secret@" + tt.proxy})
		f := ask(t.Context(), target, say("x")).Failure
		if f == nil || string(f.Class) != tt.class || f.Message != tt.message+" (through the proxy http://"+
			tt.proxy+")" {
			t.Errorf("%s: %+v", tt.proxy, f)
			continue
		}
		if a := Advice(*f, "http://server.invalid"); !strings.Contains(a, tt.advice) {
			t.Errorf("advice %q, want %q", a, tt.advice)
		}
	}
}

// A proxy that opens no tunnel says why.
func TestTunnelRefused(t *testing.T) {
	leaks(t)
	proxy := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	target := newTestTarget(t, Config{URLs: []string{"https://server.invalid"}, Proxy: proxy.URL})
	f := ask(t.Context(), target, say("x")).Failure
	if f == nil || f.Class != record.ClassRefused ||
		f.Message != "the proxy refused to connect: 403 Forbidden (through the proxy "+proxy.URL+")" {
		t.Errorf("%+v", f)
	}
}

// The environment's proxies are used where that is asked for, and else named.
func TestProxyFromEnvironment(t *testing.T) { overBoth(t, proxyFromEnvironment) }

func proxyFromEnvironment(t *testing.T, via string) {
	cleanEnvironment(t)
	seen := make(chan string, 4)
	t.Setenv("http_proxy", proxyServer(t, seen).URL)
	t.Setenv("NO_PROXY", "direct.invalid,.cluster.local")
	for _, c := range []Config{{Proxy: ProxyEnv}, {TrustEnv: true}} {
		c.Transport, c.URLs = via, []string{"http://server.invalid:8000"}
		r := ask(t.Context(), newTestTarget(t, c), say("x"))
		if r.Outcome != record.OK {
			t.Errorf("%+v", r.Failure)
			continue
		}
		if got := <-seen; got != "POST server.invalid:8000" {
			t.Errorf("the proxy saw %q", got)
		}
	}
	for address, want := range map[string]string{
		"http://server.invalid": "http_proxy", "http://direct.invalid": "", "http://a.b.cluster.local": "",
		"https://server.invalid": "",
		"http://127.0.0.1:8000":  "", "http://localhost:8000": "", "unix:///x": "",
	} {
		c := Config{URLs: []string{address}}
		if got := c.UnusedProxy(); got != want {
			t.Errorf("%s: %q is not used, want %q", address, got, want)
		}
		c.Proxy = ProxyEnv
		if got := c.Proxies(); (len(got) > 0) != (want != "") || c.UnusedProxy() != "" {
			t.Errorf("%s: proxies %q", address, got)
		}
		c.Proxy = ProxyNone
		if got := c.Proxies(); got != nil || c.UnusedProxy() != "" {
			t.Errorf("%s: proxies %q", address, got)
		}
	}
}

func TestProxyFaults(t *testing.T) {
	cleanEnvironment(t)
	t.Setenv("HTTP_PROXY", "ftp:// me:secret@h")
	t.Setenv("HTTPS_PROXY", "http://me:secret@h:99999")
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Proxy: "proxy:3128"}, "proxy \"proxy:3128\": must be like"},
		{Config{Proxy: "http://me:secret@p:99999"}, "proxy \"http://<redacted>@p:99999\""},
		{Config{Proxy: "yes"}, "env or none"},
		{Config{Proxy: "http://p:1", URLs: []string{"unix:///x"}}, "no proxy leads to a Unix socket"},
		{Config{Proxy: "http://p:1", HTTP2: true}, "HTTP/2 without TLS goes through no proxy"},
		{Config{Proxy: ProxyEnv, URLs: []string{"http://h"}}, "proxy env: HTTP_PROXY: not the address of a proxy"},
		{Config{Proxy: ProxyEnv, URLs: []string{"https://h"}}, "proxy env: HTTPS_PROXY: not the address of a proxy"},
		{Config{Proxy: "http://p:1", TrustEnv: true}, "one of the two"},
	} {
		tt.c.Models = []string{"m"}
		tt.c.Defaults()
		if err := tt.c.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", tt.c.Proxy, err)
		}
	}
	ok := Config{Models: []string{"m"}, Proxy: ProxyEnv, URLs: []string{"unix:///x", "http://localhost"}}
	ok.Defaults()
	if err := ok.Validate(); err != nil {
		t.Error(err)
	}
}
