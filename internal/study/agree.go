package study

import (
	"context"
	"fmt"
	"slices"
	"time"

	"headway/internal/openai"
)

// slowAnswer is after how long a user is told what is waited for.
const slowAnswer = 10 * time.Second

// Agree finds out which fields the endpoint takes, which the requests are to have
// beside what the user asked for. What it refuses is a warning of every run that
// is prepared from then on. Servers that tell what they do with a request are
// asked to, from then on.
func (g *Setup) Agree(ctx context.Context, fields []openai.Field) openai.Agreed {
	if g.Header.Simulated {
		return openai.Assumed(fields)
	}
	slow := time.AfterFunc(slowAnswer, func() {
		g.App.Note("waiting for the answer to a request for one token, which finds out what the endpoint takes")
	})
	defer slow.Stop()
	agreed := openai.Accepted(ctx, g.Client, append(slices.Clip(fields), openai.Telling()))
	if agreed.Tells() {
		g.Client.Tell = true
		g.Target.Tell()
	}
	if w := agreed.Warning(); w != nil {
		g.Warn(*w)
	}
	return agreed
}

// Exactly has every request ask for a reply of so many tokens, as far as the
// endpoint takes the fields for that.
func (g *Setup) Exactly(ctx context.Context, tokens int) error {
	agreed := g.Agree(ctx, openai.ExactLength())
	client := g.Client
	var err error
	if client.Extra, err = agreed.Add(client.Extra, true, "ignore_eos"); err == nil {
		client.Extra, err = agreed.Add(client.Extra, tokens, "min_tokens")
	}
	if err != nil {
		return err
	}
	return g.speak(client)
}

// speak has requests made by another configuration.
func (g *Setup) speak(client openai.Config) error {
	target, err := openai.NewTarget(client)
	if err != nil {
		return fmt.Errorf("opening the client again: %w", err)
	}
	g.Target.Close()
	g.Client, g.Target = client, target
	return nil
}
