package openai

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An error names the address that was asked, and not the one that requests of a load
// go to.
func TestGetErrorNamesTheAddress(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c := Config{URLs: []string{server.URL}}
	_, err := c.Get(t.Context(), 0, "/metrics", 100)
	want := "asking " + server.URL + "/metrics: it answers 404"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	s, err := newServer(Config{URLs: []string{"unix:///run/s.sock"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.shownAt("/metrics"); got != "unix:///run/s.sock/metrics" {
		t.Errorf("a socket is called %s", got)
	}
}
