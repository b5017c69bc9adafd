package deploy

import (
	"context"
	"errors"

	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/options/profiling"
	"headway/internal/profile"
	"headway/internal/settings"
)

// InDepth measures an engine that somebody else started, in depth, into a folder
// that is this process's.
type InDepth struct {
	*profiling.ProfileEndpoint
	// Version is that of the program, Seed that of the prompts.
	Version string
	Seed    uint64
	// Endpoint says how to speak to the engine, and what its runs have in common.
	Endpoint EndpointConfig
	// Settings are what two calls must have in common to share points.
	Settings settings.Settings
	// Ready waits until the engine answers.
	Ready func(context.Context, openai.Config) error
	// Note hears what a user must know, Tell how it goes; nil is not told. Name is
	// what options are called there.
	Note, Tell func(format string, args ...any)
	Name       func(fault.Field) string
}

// Run measures the points that an earlier call has not, and writes the files of
// all. What is measured is kept point by point: an error of measuring says how to
// go on with it.
func (d InDepth) Run(ctx context.Context) (profile.Half, error) {
	journal, err := profile.OpenJournal(d.WorkDir, d.Phase(), d.Settings, d.Resume, d.Overwrite)
	if err != nil {
		if errors.Is(err, profile.ErrHasPoints) || errors.Is(err, settings.ErrChanged) {
			err = fault.Usage(err)
		}
		return nil, err
	}
	defer journal.Close()
	if journal.Skipped > 0 {
		d.Note("warning: %d lines of %s could not be read; their points are measured again", journal.Skipped,
			d.journal())
	}
	engine, err := d.engine()
	if err != nil {
		return nil, err
	}
	defer engine.Close(ctx)
	if err := d.Ready(ctx, engine.Client()); err != nil {
		return nil, err
	}
	return d.measure(ctx, engine, journal)
}

func (d InDepth) engine() (*Endpoint, error) {
	c := d.Endpoint
	c.OpenLength = d.OpenLength
	c.NoPreconnect = d.NoPreconnect
	c.Facts = d.Facts()
	c.Dir = d.WorkDir
	return NewEndpoint(c)
}

// measure makes the sweep and writes its files.
func (d InDepth) measure(ctx context.Context, engine *Endpoint, journal *profile.Journal) (profile.Half, error) {
	sweep := d.Sweep(d.Seed)
	sweep.Journal, sweep.Name = journal, d.Name
	if d.Tell != nil {
		sweep.Progress = profile.Teller(journal.Kept(), d.Tell)
	}
	half, err := profile.Measure(ctx, d.Phase(), engine, sweep)
	if err != nil {
		return nil, fault.New("%w\nthe points that were measured are kept in %s; the same call with %s goes on",
			err, d.journal(), fault.Field("resume"))
	}
	if text := half.Short(); text != "" {
		d.Note("warning: %s", text)
	}
	half = profile.Marked(half, d.WorkDir)
	for _, text := range profile.FrontBound(half) {
		d.Note("warning: %s", text)
	}
	about := profile.About(d.Model, engine.Facts().URL, d.NumGPUs, d.Repeats, d.Version, d.Name)
	return half, half.WriteFiles(d.WorkDir, about+" · "+profile.Tokens(half.Qualities()))
}

func (d InDepth) journal() string { return profile.JournalPath(d.WorkDir, d.Phase()) }
