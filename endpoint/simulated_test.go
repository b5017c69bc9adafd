package endpoint_test

import (
	"context"
	"testing"

	"headway/internal/cluster"
	"headway/internal/engine"
)

// simulated serves a simulated engine on loopback, as headway sim serve does. Its
// tokens take no time to speak of.
func simulated(cfg cluster.ServerConfig) (url string, stop func()) {
	cfg.Engine = engine.Config{SpeedupRatio: 1000}
	srv, err := cluster.NewServer(cfg)
	if err != nil {
		panic(err)
	}
	at, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return "http://" + at.String(), func() { _ = srv.Shutdown(context.Background()) }
}

// served is one for a test.
func served(t *testing.T, cfg cluster.ServerConfig) (url string) {
	t.Helper()
	url, stop := simulated(cfg)
	t.Cleanup(stop)
	return url
}
