package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") })
	navigate := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
		"Sec-Fetch-Dest": "document"}
	origin := func(o string) map[string]string { return map[string]string{"Origin": o} }
	for _, c := range []struct {
		name, method, asked, host string
		header                    map[string]string
		want                      int
	}{
		{name: "the printed address", host: "127.0.0.1:8080", want: 200},
		{name: "localhost", host: "localhost:8080", want: 200},
		{name: "IPv6", host: "[::1]:8080", want: 200},
		{name: "a forwarded port", host: "localhost:9999", want: 200},
		{name: "another name for this address", host: "evil.example:8080", want: 421},
		{name: "a name that begins like ours", host: "localhost.evil.example", want: 421},
		{name: "a name that looks like an address", host: "127.0.0.1.evil.example", want: 421},
		{name: "no name", host: "", want: 421},
		{name: "the name that was asked for", asked: "gpu-7.lab", host: "GPU-7.lab:8080", want: 200},
		{name: "its own origin", host: "127.0.0.1:8080", header: origin("http://127.0.0.1:8080"), want: 200},
		{name: "another origin", host: "127.0.0.1:8080", header: origin("http://evil.example"), want: 403},
		{name: "another port", host: "127.0.0.1:8080", header: origin("http://127.0.0.1:3000"), want: 403},
		{name: "an origin that is hidden", host: "127.0.0.1:8080", header: origin("null"), want: 403},
		{name: "a script elsewhere", host: "127.0.0.1:8080", header: map[string]string{"Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, want: 403},
		{name: "a frame elsewhere", host: "127.0.0.1:8080", header: map[string]string{"Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, want: 403},
		{name: "a link elsewhere", host: "127.0.0.1:8080", header: navigate, want: 200},
		{name: "a write", method: "POST", host: "127.0.0.1:8080", want: 405},
		{name: "a removal", method: "DELETE", host: "127.0.0.1:8080", want: 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			if c.method != "" {
				r.Method = c.method
			}
			r.Host = c.host
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			asked := c.asked
			if asked == "" {
				asked = "127.0.0.1"
			}
			guard(asked, ok).ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d: %s", w.Code, c.want, w.Body)
			}
			if inside := strings.Contains(w.Body.String(), "inside"); inside != (c.want == 200) {
				t.Errorf("the page was served: %v", inside)
			}
			for _, name := range []string{"Content-Security-Policy", "Cross-Origin-Resource-Policy",
				"X-Content-Type-Options"} {
				if w.Header().Get(name) == "" {
					t.Errorf("no %s", name)
				}
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("other origins are let in")
			}
		})
	}
}

// A server that is closed leaves neither a goroutine (TestMain) nor a port.
func TestServerClose(t *testing.T) {
	s, err := Listen("127.0.0.1:0", NewLive("headway run", "headway run"))
	if err != nil {
		t.Fatal(err)
	}
	address := s.listener.Addr().String()
	if want := "http://" + address + "/"; s.URL() != want {
		t.Errorf("URL %s, want %s", s.URL(), want)
	}
	reply, err := http.Get(s.URL() + "events")
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := io.ReadAll(reply.Body); err != nil && !strings.Contains(err.Error(), "EOF") {
		t.Logf("the stream ended with %v", err)
	}
	reply.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	again.Close()
}

func TestListenTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Listen(l.Addr().String(), http.NotFoundHandler()); err == nil ||
		!strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v does not name the address", err)
	}
}
