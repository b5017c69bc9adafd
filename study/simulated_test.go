package study_test

import (
	"context"

	"headway/internal/cluster"
	"headway/internal/engine"
)

// simulated serves a simulated engine on loopback, as headway sim serve does. Its
// tokens take no time to speak of.
func simulated() (url string, stop func()) {
	srv, err := cluster.NewServer(cluster.ServerConfig{Model: "qwen3", Engine: engine.Config{SpeedupRatio: 1000}})
	if err != nil {
		panic(err)
	}
	at, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return "http://" + at.String(), func() { _ = srv.Shutdown(context.Background()) }
}
