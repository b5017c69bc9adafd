package duel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"headway/internal/deploy"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/metric"
	"headway/report"
)

// Command is the verb: its options, its help and what it does.
type Command struct{ options.Duel }

// Around are the surroundings of a call.
type Around struct {
	study.Caller
	Env options.Caller
	// Claim takes the folder of the results, and opens what follows the call.
	Claim func(dir string) (release func(), err error)
	// Asked are the options that two calls must have in common.
	Asked func(secrets report.Redactor, records bool) (settings.Settings, error)
	// Parse reads options of a text into a group.
	Parse func(text string, group any) error
	// Called is what a field of a configuration is called in texts for people.
	Called func(fault.Field) string
	Watch  study.Watcher
	Out    io.Writer
	Page   report.ConsoleOptions
	// Version is the program's.
	Version string
}

// Help is shown below the options.
func (Command) Help() string {
	return `Examples:

  headway duel --a http://localhost:8000 --b http://localhost:8001 --model M
      two servers, one after the other in every block; also on one GPU
  headway duel --a http://localhost:8000 --b http://localhost:8001 --model M --concurrency 16 \
      --isl 6000 --osl 128 --max-time 200 --figures 'time_to_first_token avg' --figures 'inter_token_latency > 50ms'
  headway duel --a-command 'vllm serve M --port {port} --max-num-batched-tokens 2048' \
      --b-command 'vllm serve M --port {port} --max-num-batched-tokens 8192' --model M
  headway duel --a-sim max-num-batched-tokens=2048 --b-sim max-num-batched-tokens=8192 --isl 6000
      both simulated in virtual time, to try
  headway duel --bisect v1.2..main --command './serve-revision {rev} --port {port}' --model M
      the first revision that is worse than v1.2

It ends when every figure is better, worse or the same within --margin, or when
--max-blocks or --max-time is spent. Exit code 3: B is worse in a figure; 5: none is
worse, and one is not decided; 4: not decided, since the client was the bottleneck.`
}

// Outcome is what a call came to, for its exit code.
type Outcome struct{ Worse, Invalid, Undecided bool }

// Decide makes the duel, or the bisection, and shows what it gave.
func (c *Command) Decide(ctx context.Context, a Around) (Outcome, error) {
	c.Defaults()
	rules, goodput, err := c.rules(a)
	if err != nil {
		return Outcome{}, err
	}
	release, err := a.Claim(c.Dir)
	defer release()
	if err != nil {
		return Outcome{}, err
	}
	if c.Bisect != "" {
		return c.bisect(ctx, a, rules, goodput)
	}
	res, err := c.duel(ctx, a, rules, goodput)
	if res == nil {
		return Outcome{}, err
	}
	title := fmt.Sprintf("%s against %s", res.B, res.A)
	return res.outcome(err), errors.Join(err, c.show(a, res.Document(), res.JSON(), title))
}

// rules are how it is decided; the error lists every fault of the options.
func (c *Command) rules(a Around) (Rules, []metric.Objective, error) {
	var bad fault.List
	c.Faults(a.Env, &bad)
	r := Rules{Margin: c.Margin / 100, Points: c.Points / 100, Level: c.Confidence, Most: c.MaxBlocks}
	for _, text := range c.Figures {
		f, err := ParseFigure(text)
		if err != nil {
			bad.Add("%s: %v", fault.Field("figures"), err)
		}
		bad.When(strings.HasPrefix(f.Tag, "good") && len(c.Goodput) == 0, "%s %s: needs %s", fault.Field("figures"),
			text, fault.Field("goodput"))
		r.Figures = append(r.Figures, f)
	}
	m, err := (&options.Output{Goodput: c.Goodput, Runs: 1, Confidence: c.Confidence}).Goals()
	if err != nil {
		bad = append(bad, err)
	}
	return r, m.Goodput, bad.Usage()
}

// show prints the result and writes its files.
func (c *Command) show(a Around, d *report.Document, json any, title string) error {
	write := func(file, format string) error {
		page := report.ConsoleOptions{Width: report.FullWidth}
		return report.WriteFile(file, shown(d, json, title, format, a.Version, page))
	}
	err := write(filepath.Join(c.Dir, "report.html"), "html")
	for _, file := range c.Output {
		err = errors.Join(err, write(file, (&options.Compare{}).FormatOf(file)))
	}
	if !c.Quiet || c.Shown() != "terminal" {
		err = errors.Join(err, shown(d, json, title, c.Shown(), a.Version, a.Page)(a.Out))
	}
	return err
}

// duel makes one duel in the folder of the options.
func (c *Command) duel(ctx context.Context, a Around, rules Rules, goodput []metric.Objective) (_ *Result, err error) {
	s := &Study{Options: &c.Duel, Watch: a.Watch, plan: c.Plan(a.Env), goodput: goodput, rules: rules,
		called: a.Called}
	if !c.Quiet {
		s.Tell = a.Note
	}
	if c.Simulated() && a.Env.Given["max-lag"] {
		a.NoteOnce("note: %v",
			fault.New("%s has no effect in virtual time, where nothing is late", fault.Field("max-lag")))
	}
	if s.seed, err = c.seed(); err != nil {
		return nil, err
	}
	servers, stop, err := c.start(ctx, a)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return nil, err
	}
	defer s.close()
	for i := range s.sides {
		d := &side{name: string(rune('A' + i)), at: i}
		s.sides[i] = d
		if err := c.side(ctx, a, s, d, servers[i]); err != nil {
			return nil, err
		}
	}
	res, err := s.Run(ctx)
	if errors.Is(err, study.ErrHasResults) || errors.Is(err, settings.ErrChanged) {
		err = fault.Usage(err)
	}
	if ctx.Err() != nil {
		a.Note("%s", fault.New("the same call with %s goes on", fault.Field("resume")))
	}
	return res, err
}

// seed is the one asked for, or with --resume that of the earlier call.
func (c *Command) seed() (uint64, error) {
	if c.Seed != nil || !c.Resume {
		return options.SeedOr(c.Seed), nil
	}
	before, err := (&study.Book{Dir: filepath.Join(c.Dir, "a")}).Before()
	if err != nil || before == nil {
		return options.SeedOr(nil), err
	}
	seed, err := strconv.ParseUint(before["duel seed"], 10, 64)
	if err != nil {
		return 0, fault.Usage(fault.New("the settings in %s name no seed of a duel: give another %s", c.Dir,
			fault.Field("output-dir")))
	}
	return seed, nil
}

// side makes a side ready: its folder, and its client or its simulation.
func (c *Command) side(ctx context.Context, a Around, s *Study, d *side, server *deploy.Server) error {
	url := []string{c.A, c.B}[d.at]
	s.names[d.at] = url
	if server != nil {
		url, d.died = server.URL, server.Died
		s.names[d.at] = []string{c.ACommand, c.BCommand}[d.at]
	}
	d.book = study.Book{Dir: filepath.Join(c.Dir, strings.ToLower(d.name)), Names: report.FileNames(""),
		Runs: []string{"block_*"}, Resume: c.Resume, Overwrite: c.Overwrite}
	if c.Simulated() {
		return c.simulated(a, s, d)
	}
	client, err := c.Client(a.Env, []string{url}, true)
	if err != nil {
		return err
	}
	d.setup, err = study.Server{Endpoint: &c.Endpoint, Tokens: c.Tokens, Client: client, Telemetry: c.Telemetry,
		Output: &options.Output{Runs: 1, Confidence: 0.95, Goodput: c.Goodput}, Seed: s.seed}.Open(ctx, a)
	if err != nil {
		return fmt.Errorf("side %s: %w", d.name, err)
	}
	g := d.setup
	s.secrets = g.Secrets
	s.names[d.at] = g.Secrets.Text(s.names[d.at])
	g.MaxLag, g.Preconnect = c.Lag(), c.Ahead()
	g.FailFast, g.Name = c.On(a.Env), "duel"
	g.CountBy(c.TokenSource(metric.TokensAuto))
	if c.IgnoreEOS && c.OSLSD == 0 {
		if err := g.Exactly(ctx, int(c.OSL)); err != nil {
			return fmt.Errorf("side %s: %w", d.name, err)
		}
	}
	if d.book.Settings, err = c.settings(a, s, g.Secrets); err == nil {
		study.Speaking(d.book.Settings, &c.Endpoint, client, g.Tokens, c.TokenSource(metric.TokensAuto).String())
	}
	return err
}

// simulated makes a side of options for a simulation.
func (c *Command) simulated(a Around, s *Study, d *side) (err error) {
	text := *[]*string{c.ASim, c.BSim}[d.at]
	s.names[d.at] = "simulated " + strings.TrimSpace(text)
	d.simulated = &options.Cluster{}
	if err := a.Parse(text, d.simulated); err != nil {
		return fault.Usage(fmt.Errorf("side %s: %w", d.name, err))
	}
	s.secrets = report.NewRedactor()
	if s.header, err = a.Header(s.secrets, s.seed); err != nil {
		return err
	}
	s.header.Model, s.header.Endpoint, s.header.Streaming = c.Model[0], "simulated", true
	if err := s.fits(d); err != nil {
		return fault.Usage(err)
	}
	d.book.Settings, err = c.settings(a, s, s.secrets)
	return err
}

// settings are what two calls must have in common.
func (c *Command) settings(a Around, s *Study, secrets report.Redactor) (settings.Settings, error) {
	all, err := a.Asked(secrets, false)
	if err == nil {
		delete(all, "seed") // it is drawn where it is not given
		all["duel seed"] = strconv.FormatUint(s.seed, 10)
	}
	return all, err
}

// start starts the sides that are commands; stop ends them, also after an error.
func (c *Command) start(ctx context.Context, a Around) (servers [2]*deploy.Server, stop func() error, err error) {
	commands := [2]string{c.ACommand, c.BCommand}
	if commands == [2]string{} {
		return servers, func() error { return nil }, nil
	}
	removers := deploy.Removers{deploy.KindProcess: deploy.RemoveProcess}
	ledger, err := deploy.Open(ctx, deploy.StateDir(a.Getenv), c.Dir, removers, a.Note)
	if err != nil {
		return servers, func() error { return nil }, err
	}
	stop = func() error {
		var faults []error
		for _, s := range servers {
			if s != nil {
				faults = append(faults, s.Close())
			}
		}
		return errors.Join(append(faults, ledger.Settle(removers))...)
	}
	for i, text := range commands {
		if text == "" {
			continue
		}
		name := "side " + string(rune('A'+i))
		if servers[i], err = c.server(ctx, a, ledger, name, text); err != nil {
			return servers, stop, err
		}
	}
	return servers, stop, nil
}

// server starts one.
func (c *Command) server(ctx context.Context, a Around, ledger *deploy.Ledger, name, text string) (*deploy.Server,
	error) {
	command, err := deploy.ParseCommand(text)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("%s: %w", name, err))
	}
	client, err := c.Client(a.Env, []string{"http://127.0.0.1"}, true)
	if err != nil {
		return nil, err
	}
	cfg := deploy.ServerConfig{Command: command, Name: name, Client: client, Environ: a.Env.Environ, Ledger: ledger,
		Dir:          filepath.Join(c.Dir, "logs", strings.ReplaceAll(strings.ToLower(name), " ", "_")),
		StartTimeout: time.Duration(c.StartTimeout), Grace: time.Duration(c.StopGrace)}
	if err := cfg.Faults(); err != nil {
		return nil, fault.Usage(fmt.Errorf("%s: %w", name, err))
	}
	if !c.Quiet {
		a.Note("starting %s: %s", name, text)
	}
	return deploy.StartServer(ctx, cfg)
}
