package options

import (
	"strings"
	"testing"
	"time"

	"headway/internal/router"
)

// Every fault is said, by field; bounds that were not given are the server's own.
func TestServerConfig(t *testing.T) {
	s := Server{Host: "::1", Port: 99999, Mode: router.RoundRobin, Cluster: usual().Cluster}
	s.HeaderTimeout = Seconds(time.Second)
	s.BodyTimeout = Seconds(time.Minute)
	s.WriteTimeout = Seconds(time.Second)
	s.MaxConnections = 5
	_, err := s.Config(map[string]bool{"gpu": true})
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{"port 99999", "idle-timeout 0: must be above zero",
		"gpu: has no effect without timing roofline"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	s.IdleTimeout, s.Port = Seconds(time.Hour), 80
	c, err := s.Config(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Bounds.HeaderTimeout != time.Second || c.Bounds.MaxConnections != 5 || c.Bounds.MaxBodyBytes != 0 ||
		s.Address() != "[::1]:80" {
		t.Errorf("%+v at %s", c.Bounds, s.Address())
	}
}
