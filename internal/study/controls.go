package study

import (
	"context"
	"fmt"
	"time"

	"headway/internal/options"
	"headway/record"
)

// Control makes what the options ask of the servers part of a measurement.
func (g *Setup) Control(m *Measurement, o options.Controls) {
	if o.ResetCache {
		m.Before = func(ctx context.Context) error {
			if err := g.post(ctx, o.ResetPath, time.Duration(o.ResetWithin)); err != nil {
				return fmt.Errorf("emptying the KV cache: %w", err)
			}
			return nil
		}
	}
	if !o.Profiler {
		return
	}
	m.Around = func(ctx context.Context) (func() []record.Warning, error) {
		if err := g.post(ctx, o.ProfilerStart, time.Duration(o.ProfilerWithin)); err != nil {
			return nil, fmt.Errorf("starting the server's profiler: %w", err)
		}
		return func() []record.Warning {
			// A profiler must not go on for ever when the run is interrupted.
			err := g.post(context.WithoutCancel(ctx), o.ProfilerStop, time.Duration(o.ProfilerWithin))
			if err == nil {
				return nil
			}
			return []record.Warning{{Code: "profiler_not_stopped",
				Text: g.Secrets.Text(fmt.Sprintf("the server's profiler may still run: %v", err))}}
		}, nil
	}
}

// post asks all servers, one after the other.
func (g *Setup) post(ctx context.Context, path string, within time.Duration) error {
	for i := range g.Client.URLs {
		bounded, cancel := context.WithTimeout(ctx, within)
		err := g.Client.Post(bounded, i, path)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}
