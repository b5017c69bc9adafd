package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"headway/internal/profile"
	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// Subject is a server that loads are driven on. It keeps the Records of each in a
// folder below that of the journal, named as the part says.
type Subject interface {
	Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error)
}

// Calibration measures a server for a twin.
type Calibration struct {
	Subject Subject
	Journal *Journal
	Engine  twin.Engine
	Limits
	// Key names all prompts.
	Key workload.Key
	// Tokens says whose counts the figures are made of; client's own make the twin
	// a wider one.
	Tokens metric.TokenSource
	// Tell hears how it goes; nil is not told.
	Tell func(format string, args ...any)

	begun  bool // this call began the folder
	size   sizer
	lesson *lesson
	// interim says that size.model was fitted.
	interim bool
	loads   []*fit.Load // that the fit sees
	probes  []Probe     // of loads
	idle    *fit.Load
	heldOut *fit.Load
	doubts  []string
}

// Measured is what a calibration came to.
type Measured struct {
	// Loads are what the fit sees, HeldOut judges it.
	Loads   []*fit.Load
	HeldOut *fit.Load
	// Seen is of all probes together.
	Seen Seen
	// Calibration is what the twin's file says of it.
	Calibration *twin.Calibration
	// Verdicts are of the client, a probe each.
	Verdicts []profile.Verdict
}

// Run measures. The probes that were measured are kept when it ends with an error:
// a [*SufferError] where the server did not bear one.
func (c *Calibration) Run(ctx context.Context) (*Measured, error) {
	c.begun = c.Journal.Attempts == 0
	c.Journal.Attempts++
	if err := c.Journal.write(); err != nil {
		return nil, err
	}
	c.Key = c.Key.Named("twin").Index(c.Journal.Attempts)
	m := twin.Usual
	c.size = sizer{Limits: c.Limits, engine: c.Engine, model: &m}
	if err := c.read(); err != nil {
		return nil, err
	}
	steps := []func(context.Context) error{c.measureFirst, c.teach, c.measureLast, c.judge}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c.measured(), nil
}

// read takes what an earlier call has measured.
func (c *Calibration) read() error {
	for _, d := range c.Journal.Done {
		l, err := c.load(d)
		if err != nil {
			return err
		}
		if err := c.take(d.Probe, l); err != nil {
			return err
		}
	}
	if n := len(c.Journal.Done); n > 0 {
		c.tell("%d probes of an earlier call are there (%.0f s of load)", n, c.spent())
	}
	return nil
}

// load reads the Records of a probe.
func (c *Calibration) load(d Done) (*fit.Load, error) {
	loads, _, err := fit.ReadFolders([]string{c.Journal.folder(d)})
	if err != nil {
		return nil, err
	}
	loads[0].Name = d.Probe.Name
	return loads[0], nil
}

// take puts a load where it belongs, and compares what should be equal in it.
func (c *Calibration) take(p Probe, l *fit.Load) error {
	doubt, err := drifted("in the probe "+p.Name+" the time to the first token of equal bursts", p.steps(l))
	switch {
	case p.HeldOut:
		c.heldOut = l
	case p.Again:
		doubt, err = drifted("the time per token of single requests", []float64{shortGap(c.idle), shortGap(l)})
	default:
		c.loads, c.probes = append(c.loads, l), append(c.probes, p)
		if p.Name == "idle" {
			c.idle = l
		}
	}
	if doubt != "" {
		c.doubts = append(c.doubts, doubt)
		c.tell("warning: %s", doubt)
	}
	return err
}

func (c *Calibration) measureFirst(ctx context.Context) error {
	if c.idle == nil {
		if err := c.drive(ctx, c.first(), 0, 0); err != nil {
			return err
		}
	}
	c.size.model = sketch(c.idle)
	m := c.size.model
	c.tell("so far: a token of one sequence takes %.3g ms, a token of a prompt about %.3g µs", m.Weights/0.95,
		m.Compute)
	return nil
}

// measureLast is done in every call: the server may have changed between two.
func (c *Calibration) measureLast(ctx context.Context) error {
	return c.drive(ctx, c.last(), 0, 0)
}

func (c *Calibration) judge(ctx context.Context) error {
	if c.heldOut != nil {
		return nil
	}
	p, err := c.size.heldOut(ctx)
	if err != nil {
		return err
	}
	return c.measure(ctx, p)
}

// measure drives a probe of which it is known how long it will take.
func (c *Calibration) measure(ctx context.Context, p Probe) error {
	all, err := fit.Simulate(ctx, c.Engine, c.size.model, p.load(c.Key.Named(p.Name)), 1)
	if err != nil {
		return err
	}
	return c.drive(ctx, p, time.Duration(span(all)*1e9), slowestOf(all))
}

// Bounds of the time of a probe: so many times what was expected and so much more,
// and where nothing is known.
const (
	mostTimes  = 5
	mostMore   = time.Minute
	mostAtAll  = 10 * time.Minute
	noTimeSaid = 0
)

// drive runs a probe, keeps it and takes what it shows.
func (c *Calibration) drive(ctx context.Context, p Probe, expected, slowest time.Duration) error {
	c.tell("probe %d, %s: %s%s; it shows %s", len(c.Journal.Done)+1, p.Name, p.Text(), about(expected), p.Teaches)
	within := mostAtAll
	if expected > noTimeSaid {
		within = mostTimes*expected + mostMore
	}
	why := &SufferError{p.Name, fmt.Sprintf("it was not done after %v", within.Round(time.Second))}
	bounded, end := context.WithTimeoutCause(ctx, within, why)
	defer end()
	guarded, stop := context.WithCancelCause(bounded)
	defer stop(nil)
	n := c.Journal.runs(p.Name) + 1
	g := &guard{probe: p.Name, requests: p.Requests, slowest: slowest, stop: stop}
	d := Done{Probe: p, Run: fmt.Sprintf("run_%d", n)}
	key := c.Key.Named(p.Name).Index(n)
	part := profile.Part{Plan: p.plan(key), Section: section, Point: p.Name, Run: d.Run, Anew: c.begun,
		Tokens: c.Tokens, Rate: p.Rate}
	ran, err := c.Subject.Run(guarded, part, g)
	var suffers *SufferError
	switch {
	case errors.As(context.Cause(guarded), &suffers):
		return suffers
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("measuring the probe %s: %w", p.Name, err)
	}
	d.Seconds, d.Seen, d.Invalid = ran.Span.Seconds(), g.seen, ran.Invalid
	return c.keep(p, d)
}

func about(expected time.Duration) string {
	if expected <= 0 {
		return ""
	}
	return fmt.Sprintf(", about %.0f s", max(expected.Seconds(), 1))
}

// keep takes a probe that was measured, unless no twin can be made of it.
func (c *Calibration) keep(p Probe, d Done) error {
	if err := d.Seen.refuse(c.Tokens == metric.TokensClient); err != nil {
		return fmt.Errorf("%w: in the probe %s %w", ErrUnfit, p.Name, err)
	}
	l, err := c.load(d)
	if err != nil {
		return err
	}
	if err := c.take(p, l); err != nil {
		return err
	}
	return c.Journal.add(d)
}

// spent is the time of load so far, in seconds.
func (c *Calibration) spent() float64 {
	sum := 0.0
	for _, d := range c.Journal.Done {
		sum += d.Seconds
	}
	return sum
}

func (c *Calibration) tell(format string, args ...any) {
	if c.Tell != nil {
		c.Tell(format, args...)
	}
}

func (c *Calibration) measured() *Measured {
	m := &Measured{Loads: c.loads, HeldOut: c.heldOut}
	for _, d := range c.Journal.Done {
		m.Seen.add(d.Seen)
		m.Verdicts = append(m.Verdicts, profile.Verdict{Name: "probe " + d.Probe.Name, Invalid: d.Invalid})
	}
	m.Calibration = &twin.Calibration{
		URL:          c.Journal.URL,
		Model:        c.Journal.Model,
		Probes:       len(c.Journal.Done),
		Requests:     m.Seen.Requests,
		PromptTokens: m.Seen.Prompt,
		OutputTokens: m.Seen.Output,
		LoadSeconds:  math.Round(10*c.spent()) / 10,
		Doubts:       append(m.Seen.doubts(), c.doubts...),
	}
	return m
}
