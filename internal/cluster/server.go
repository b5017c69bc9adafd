// Package cluster puts simulated workers behind a router and the router behind
// an endpoint. [Replay] runs a plan on them in virtual time and gives Records;
// [Server] answers as an OpenAI-compatible server in real time. Both drive the
// same workers and router in the same way, so a load gets the same decisions
// from either.
//
// In a replay, requests flow from the plan through the router to the workers,
// and what the workers tell becomes Records; nothing waits and nothing is said.
//
// In the server, bytes flow in through net/http to a handler, which counts the
// prompt's tokens and submits the request; one goroutine, the driver, steps the
// workers by the clock and tells handlers how many tokens they have; each
// handler writes its own events, so a slow client holds up nobody else. What
// the server did is capped for /metrics and, request by request, written to a
// log that a client's records can be held against (docs/format-simlog.md).
//
// The package refuses to decide how long anything takes (internal/engine does),
// where a request goes (internal/router does), and how the API is spelled
// (internal/openai does). It makes no sense of a prompt: the reply's text is
// drawn from the tokenizer's vocabulary. docs/simulation.md says what is
// modelled and what is not.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"headway/internal/alarm"
	"headway/internal/bound"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/tokenizer"
	"headway/workload"
)

// ServerConfig describes the simulated endpoint. The zero value of every field
// means its default.
type ServerConfig struct {
	// Engine is the one worker, where Cluster is not set. Its Seed is not Seed
	// below.
	Engine engine.Config
	// Cluster is several workers and their router, and then Engine is not
	// read. What Records would hold (TokenArrivals, Regret) means nothing
	// here.
	Cluster *Config
	// Model is the one model that is served; default "simulated".
	Model string
	// Tokenizer counts prompts and gives the words of replies; nil is the
	// built-in one.
	Tokenizer *tokenizer.Tokenizer
	// MaxModelLen bounds prompt and output together, in tokens; default
	// 131072.
	MaxModelLen int
	Bounds

	// ErrorRate is the percentage of completions that are answered with
	// status 500, CutRate the percentage of streams that break off in the
	// middle, half of them with the connection and half by ending early, and
	// GarbageRate the percentage of streams with an event that is not JSON
	// among the others. A stream can be hit by both of the last two.
	ErrorRate, CutRate, GarbageRate float64
	// SlowStart is how long after the start of serving the worker begins:
	// until then /health and /v1/models answer 503, and completions wait.
	SlowStart time.Duration
	// Seed decides who is hit by faults, by order of arrival, and what
	// replies say.
	Seed uint64

	// Known are the fields that a request may have; with nil, as in every server
	// of OpenAI's API that ignores what it does not know, all. No option sets it.
	Known KnownFields
	// APIKey, when set, must come with every request below /v1 as a bearer
	// token.
	APIKey string
	// Log takes the log of what was done, one JSON object a line.
	Log io.Writer
}

func (c ServerConfig) withDefaults() (ServerConfig, error) {
	if c.Model == "" {
		c.Model = "simulated"
	}
	if c.MaxModelLen == 0 {
		c.MaxModelLen = 131072
	}
	c.Bounds = c.Bounds.withDefaults()
	one := Defaults()
	if c.Cluster != nil {
		one = *c.Cluster
	} else {
		one.Engine, one.Seed = c.Engine, workload.Key(c.Engine.Seed)
	}
	one.Engine.StartupTime = max(one.Engine.StartupTime, c.SlowStart)
	one.everyToken, one.Regret = true, false
	c.Cluster = &one
	if c.Tokenizer == nil {
		t, err := tokenizer.Builtin()
		if err != nil {
			return c, fmt.Errorf("loading the built-in tokenizer for the simulated endpoint: %w", err)
		}
		c.Tokenizer = t
	}
	return c, nil
}

func (c ServerConfig) validate() error {
	var bad fault.List
	bad.Check(c.MaxModelLen >= 2, "max-model-len", c.MaxModelLen, "at least 2")
	c.Bounds.check(&bad)
	bad.Check(c.SlowStart >= 0, "slow-start", c.SlowStart, "0 or more")
	for _, p := range []struct {
		name fault.Field
		rate float64
	}{{"error-rate", c.ErrorRate}, {"cut-rate", c.CutRate}, {"garbage-rate", c.GarbageRate}} {
		bad.Check(p.rate >= 0 && p.rate <= 100, p.name, p.rate, "a percentage from 0 to 100")
	}
	if err := bad.Err(); err != nil {
		return fmt.Errorf("configuring the simulated endpoint: %w", err)
	}
	return nil
}

// Server is the simulated endpoint. It is made by [NewServer], serves once, and
// ends with [Server.Shutdown].
type Server struct {
	cfg     ServerConfig
	key     workload.Key
	words   []string // as the inside of a JSON string, one token each
	wordIDs []int    // the tokens they are; nil where the vocabulary has no such words
	joint   []int    // the tokens between two messages of a chat
	driver  *driver
	log     *truthLog // nil without a log
	http    *http.Server
	faults  faults
	created time.Time
	bodies  bound.Account // of the requests in flight

	gate     sync.Mutex // guards closed, and with it the counting in of handlers
	closed   bool
	handlers sync.WaitGroup
	stop     chan struct{}  // ends the driver
	work     sync.WaitGroup // the driver and the log
	serving  sync.WaitGroup // a Serve that Listen started
	result   error          // of that Serve
}

// NewServer makes a server that does not listen yet. Its clock starts now:
// SlowStart counts from here. The error lists every fault of the
// configuration.
func NewServer(cfg ServerConfig) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	fleet, fleetErr := newFleet(*cfg.Cluster)
	if err := errors.Join(cfg.validate(), fleetErr); err != nil {
		return nil, err
	}
	key := workload.Seed(cfg.Seed).Named("simulated endpoint")
	s := &Server{
		cfg:     cfg,
		key:     key,
		driver:  newDriver(fleet),
		created: time.Now(),
		bodies:  bound.Account{Limit: cfg.BodyMemory},
		stop:    make(chan struct{}),
		faults:  faults{cfg: cfg, key: key.Named("faults")},
	}
	s.useWords(cfg.Tokenizer)
	if cfg.Log != nil {
		s.log = newTruthLog(cfg.Log)
		s.work.Go(s.log.run)
	}
	s.http = &http.Server{
		Handler:           s,
		ConnContext:       openai.ServerConnContext,
		ReadHeaderTimeout: cfg.HeaderTimeout,
		IdleTimeout:       cfg.IdleTimeout,
	}
	s.work.Go(func() {
		s.driver.alarm = alarm.New()
		defer s.driver.alarm.Close()
		s.driver.run(s.stop)
	})
	return s, nil
}

// several says that there is more than one worker to tell of.
func (s *Server) several() bool { return len(s.driver.fleet.members) > 1 }

// Serve accepts connections from ln until Shutdown, which makes it return nil.
func (s *Server) Serve(ln net.Listener) error {
	err := s.http.Serve(&capped{Listener: openai.ServerListener(ln), most: s.cfg.MaxConnections})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the simulated endpoint on %s: %w", ln.Addr(), err)
}

// Listen announces on a TCP address ("127.0.0.1:0" lets the system choose the
// port) and serves in the background. It returns the address in use.
func (s *Server) Listen(addr string) (net.Addr, error) {
	ln, err := openai.ServerListen(context.Background(), addr)
	if err != nil {
		return nil, fmt.Errorf("listening for the simulated endpoint on %s: %w", addr, err)
	}
	s.serving.Go(func() { s.result = s.Serve(ln) })
	return ln.Addr(), nil
}

// Stop is Shutdown with two seconds for the replies that are on their way. That some
// were broken off is no error: an interrupt asks for it.
func (s *Server) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.Shutdown(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Shutdown stops accepting, lets the requests in flight finish until ctx is
// done, breaks off those that are left, and writes out the log. It returns the
// first error of serving, of writing the log, or ctx's when requests had to be
// broken off. A Server must be shut down even when it never served.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("shutting down the simulated endpoint with requests in flight: %w", err)
		// The connections close, which cancels what is in flight.
		err = errors.Join(err, s.http.Close())
	}
	s.serving.Wait()
	if s.shut() {
		// Handlers need the driver for their tokens and write to the log at
		// their end, so both outlive the last of them.
		s.handlers.Wait()
		close(s.stop)
		if s.log != nil {
			s.log.close()
		}
	}
	s.work.Wait()
	if s.log != nil {
		err = errors.Join(err, s.log.err)
	}
	return errors.Join(s.result, err)
}

// shut lets no handler in from now on, and reports whether this was the first
// time.
func (s *Server) shut() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	first := !s.closed
	s.closed = true
	return first
}
