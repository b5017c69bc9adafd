package options

import (
	"net"
	"strconv"
	"time"

	"headway/internal/bound"
	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/internal/router"
)

// Server is a simulated endpoint that is served over HTTP.
type Server struct {
	Host  string      `name:"host" default:"127.0.0.1" help:"Address to listen on."`
	Port  int         `name:"port" short:"p" default:"8000" help:"Port; 0 takes a free one."`
	Model string      `name:"model" short:"m" aliases:"model-name" default:"simulated" help:"Name of the model that is served."`
	Mode  router.Mode `name:"router-mode" default:"round-robin" placeholder:"MODE" help:"How requests find their worker: round-robin, random, least-loaded, power-of-two, direct or kv."`

	ErrorRate      float64      `name:"error-rate" default:"0" placeholder:"PCT" help:"Percentage of requests answered with status 500."`
	CutRate        float64      `name:"cut-rate" default:"0" placeholder:"PCT" help:"Percentage of streams that are broken off."`
	GarbageRate    float64      `name:"garbage-rate" default:"0" placeholder:"PCT" help:"Percentage of streams with an event that is not JSON."`
	SlowStart      Milliseconds `name:"slow-start" default:"0" placeholder:"TIME" help:"Time until the server is ready (ms): until then /health gives 503 and completions wait."`
	APIKey         string       `name:"api-key" help:"Ask for this bearer token."`
	Seed           uint64       `name:"random-seed" default:"0" help:"Seed of jitter, faults and texts."`
	HeaderTimeout  Seconds      `name:"header-timeout" default:"10" placeholder:"TIME" help:"Longest time from the first byte of a request to the end of its head (s)."`
	BodyTimeout    Seconds      `name:"body-timeout" default:"60" placeholder:"TIME" help:"Longest time that a request's body may take to arrive (s)."`
	IdleTimeout    Seconds      `name:"idle-timeout" default:"600" placeholder:"TIME" help:"Close a connection without a request after this time (s)."`
	WriteTimeout   Seconds      `name:"write-timeout" default:"60" placeholder:"TIME" help:"Break off a reply whose client does not read for this time (s)."`
	MaxConnections int          `name:"max-connections" default:"65536" placeholder:"N" help:"Open connections at once; one more is answered with status 503."`
	MaxBodyBytes   *bound.Bytes `name:"max-body-bytes" placeholder:"SIZE" help:"Largest body of a request (bytes, or 8MiB). Default: 64 MiB."`
	MemoryBudget   *bound.Bytes `name:"memory-budget" placeholder:"SIZE" help:"Memory for the bodies of all requests in flight (bytes, or 2GiB). Default: a quarter of what the machine or the container has."`
	Log            string       `name:"log" type:"path" placeholder:"FILE" help:"Write what was really done, a line a request (docs/format-simlog.md)."`

	Tokens
	Cluster
}

// Address is where to listen.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Config is the server that the options describe, but for its tokenizer and the log.
// The error lists every fault.
func (s *Server) Config(given map[string]bool) (cluster.ServerConfig, error) {
	var bad fault.List
	s.Cluster.Idle(&bad, given, s.Mode == router.KV)
	s.Cluster.IdleRouting(&bad, given, s.Mode == router.KV, fault.New("%s kv", fault.Field("router-mode")))
	bad.Idle(given, s.Cluster.Adapters.Adapters == 0, "max-loras",
		fault.New("%s, the names by which requests ask for them", fault.Field("lora-adapters")))
	bad.Idle(given, true, "lora-skew", "a replay: requests to a server name their adapter")
	bad.Between("port", float64(s.Port), 0, 65535)
	workers, err := s.Cluster.Config(s.Mode, 1, s.Seed)
	if err != nil {
		bad = append(bad, err)
	}
	workers.Model = s.Model
	return cluster.ServerConfig{
		Cluster:     &workers,
		Model:       s.Model,
		MaxModelLen: s.ModelLen,
		ErrorRate:   s.ErrorRate,
		CutRate:     s.CutRate,
		GarbageRate: s.GarbageRate,
		SlowStart:   time.Duration(s.SlowStart),
		Seed:        s.Seed,
		APIKey:      s.APIKey,
		Bounds:      s.bounds(&bad),
	}, bad.Usage()
}

// bounds are what clients may take.
func (s *Server) bounds(bad *fault.List) cluster.Bounds {
	bad.Positive("header-timeout", time.Duration(s.HeaderTimeout).Seconds())
	bad.Positive("body-timeout", time.Duration(s.BodyTimeout).Seconds())
	bad.Positive("idle-timeout", time.Duration(s.IdleTimeout).Seconds())
	bad.Positive("write-timeout", time.Duration(s.WriteTimeout).Seconds())
	bad.Positive("max-connections", float64(s.MaxConnections))
	return cluster.Bounds{
		HeaderTimeout:  time.Duration(s.HeaderTimeout),
		BodyTimeout:    time.Duration(s.BodyTimeout),
		IdleTimeout:    time.Duration(s.IdleTimeout),
		WriteTimeout:   time.Duration(s.WriteTimeout),
		MaxConnections: s.MaxConnections,
		MaxBodyBytes:   AmountOf(s.MaxBodyBytes),
		BodyMemory:     AmountOf(s.MemoryBudget),
	}
}
