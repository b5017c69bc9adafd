package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"headway/internal/openai"
)

// ServerConfig says how one server is started on this host, with all GPUs that the
// environment shows.
type ServerConfig struct {
	// Command may ask for {port}, which it must, {host}, {model}, {served_name}, {dir}
	// and {log}.
	Command *Command
	// Name tells the server from others, Dir is a new folder for its logs.
	Name, Dir string
	Client    openai.Config
	// StartTimeout is how long it may take until it answers, Grace how long until it
	// has stopped by itself.
	StartTimeout, Grace time.Duration
	Environ             []string
	Ledger              *Ledger
}

// Faults says what is wrong with the command.
func (c *ServerConfig) Faults() error {
	if !c.Command.Asks("port") {
		return fmt.Errorf("the command %q: has no {port}, so nobody knows where the server answers", c.Command)
	}
	for name := range placeholders {
		switch name {
		case "port", "host", "model", "served_name", "dir", "log":
		default:
			if c.Command.Asks(name) {
				return fmt.Errorf("the command %q: {%s} is of candidates of a search; known here are {port}, {host}, "+
					"{model}, {served_name}, {dir} and {log}", c.Command, name)
			}
		}
	}
	return nil
}

// Server is a server that was started.
type Server struct {
	URL    string
	engine *processEngine
}

// StartServer starts a server and returns when it has answered a request. It has
// stopped again when there is an error.
func StartServer(ctx context.Context, c ServerConfig) (*Server, error) {
	if err := c.Faults(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("making a folder for the log of %s: %w", c.Name, err)
	}
	bench := &Process{cfg: ProcessConfig{Environ: c.Environ, Ledger: c.Ledger, Grace: c.Grace,
		StartTimeout: c.StartTimeout, Endpoint: EndpointConfig{Client: c.Client}},
		ports: map[int]bool{}, pool: newGPUPool(nil)}
	e := &processEngine{bench: bench, name: c.Name, dir: c.Dir, log: filepath.Join(c.Dir, "engine.log"),
		own: filepath.Join(c.Dir, "own.log")}
	s := &Server{engine: e}
	err := s.open(ctx, c)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Name, err), s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context, c ServerConfig) (err error) {
	e := s.engine
	if e.port, err = e.bench.port(); err != nil {
		return err
	}
	argv := c.Command.fill(map[string]string{"port": strconv.Itoa(e.port), "host": "127.0.0.1",
		"model": c.Client.Models[0], "served_name": c.Client.Models[0], "dir": e.dir, "log": e.own}, nil)
	if err := e.run(argv, c.Environ, ""); err != nil {
		return err
	}
	client, err := e.answered(ctx)
	if err != nil {
		return err
	}
	s.URL = client.URLs[0]
	return nil
}

// Died is why the server has ended, nil while it runs.
func (s *Server) Died() error {
	if s.engine.alive == nil || s.engine.alive.Err() == nil {
		return nil
	}
	return context.Cause(s.engine.alive)
}

// Close stops the server and all that it started.
func (s *Server) Close() error { return s.engine.Close(context.Background()) }
