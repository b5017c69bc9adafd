package profile

import (
	"context"
	"fmt"

	"headway/metric"
	"headway/report"
	"headway/report/picture"
)

// Half is what was measured in depth of one phase of an engine: a [PrefillCurve] or
// a [DecodeSurface].
type Half interface {
	// WriteFiles writes it below dir; about is said under the pictures.
	WriteFiles(dir, about string) error
	// Pictures are those that WriteFiles writes.
	Pictures(about string) []picture.Picture
	// Document is its table.
	Document() *report.Document
	// Qualities and Verdicts are those of all points.
	Qualities() []Quality
	Verdicts() []Verdict
	// Short says that the planner takes more points than there are; empty where
	// they are enough.
	Short() string
}

// Measure measures a phase in depth: [MeasurePrefill] or [MeasureDecode].
func Measure(ctx context.Context, p Phase, e Subject, s Grid) (Half, error) {
	if p == Prefill {
		return MeasurePrefill(ctx, e, s)
	}
	return MeasureDecode(ctx, e, s)
}

// Verdict says of a load that was measured why its client was not good enough for
// it, empty where it was.
type Verdict struct{ Name, Invalid string }

// Verdicts are those of all points.
func (c PrefillCurve) Verdicts() []Verdict {
	var all []Verdict
	for _, p := range c.Points {
		all = append(all, Verdict{p.Name(), p.Invalid})
	}
	return all
}

// Verdicts are those of all points.
func (s DecodeSurface) Verdicts() []Verdict {
	var all []Verdict
	for _, p := range s.Points {
		all = append(all, Verdict{p.Name(), p.Invalid})
	}
	return all
}

// plannerPoints is how many prompt lengths Dynamo's planner takes at least.
const plannerPoints = 4

// Short says that the planner takes more prompt lengths than there are.
func (c PrefillCurve) Short() string {
	if n := len(c.Usable()); n < plannerPoints {
		return fmt.Sprintf("%d prompt lengths were measured: Dynamo's planner takes at least %d", n, plannerPoints)
	}
	return ""
}

// Short is empty: the planner takes any surface.
func (s DecodeSurface) Short() string { return "" }

// Tokens says whose token counts points are made of.
func Tokens(points []Quality) string {
	var client, server int
	for _, q := range points {
		switch q.CountedBy {
		case metric.TokensClient.String():
			client++
		case metric.TokensServer.String():
			server++
		}
	}
	switch {
	case client == 0:
		return "tokens: the server's counts"
	case server == 0:
		return "tokens: counted by this client"
	}
	return fmt.Sprintf("tokens: the server's counts in %d points, counted by this client in %d, which do not compare",
		server, client)
}
