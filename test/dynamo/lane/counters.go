//go:build linux

package lane

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Counts are of requests that were answered, and of the tokens in and out of
// them.
type Counts struct {
	// Streamed replies and those in one piece, requests that were refused, failed
	// or given up, and those that are not answered yet.
	Streamed, Whole, Failed, Open int
	// Prompt and Output are tokens of all of them together.
	Prompt, Output int
}

// Preprocessing is how long the frontend has taken on average to make tokens of a
// request: what a simulated cluster has to be told, since it has no frontend.
func (s *Deployment) Preprocessing(ctx context.Context) (time.Duration, error) {
	page, err := get(ctx, s.URL+"/metrics")
	if err != nil {
		return 0, err
	}
	var sum, count float64
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, "dynamo_frontend_stage_duration_seconds_"); ok {
			_, _ = fmt.Sscanf(rest, `sum{stage="preprocess"} %g`, &sum) // another stage's is not read
			_, _ = fmt.Sscanf(rest, `count{stage="preprocess"} %g`, &count)
		}
	}
	if count == 0 {
		return 0, fmt.Errorf("%s/metrics does not say how long requests were preprocessed", s.URL)
	}
	return time.Duration(sum / count * float64(time.Second)), nil
}

func (c Counts) plus(o Counts) Counts {
	c.Streamed += o.Streamed
	c.Whole += o.Whole
	c.Failed += o.Failed
	c.Open += o.Open
	c.Prompt += o.Prompt
	c.Output += o.Output
	return c
}

// minus is what was counted since o.
func (c Counts) minus(o Counts) Counts {
	return c.plus(Counts{Streamed: -o.Streamed, Whole: -o.Whole, Failed: -o.Failed, Open: -o.Open,
		Prompt: -o.Prompt, Output: -o.Output})
}

// Counts are what the frontend has counted since it started.
func (s *Deployment) Counts(ctx context.Context) (Counts, error) {
	page, err := get(ctx, s.URL+"/metrics")
	if err != nil {
		return Counts{}, err
	}
	var c Counts
	for lines := bufio.NewScanner(strings.NewReader(page)); lines.Scan(); {
		if err := c.read(lines.Text()); err != nil {
			return Counts{}, fmt.Errorf("reading %s/metrics: %w", s.URL, err)
		}
	}
	return c, nil
}

// read takes a line of the page into account.
func (c *Counts) read(line string) error {
	name, labels, _ := strings.Cut(line, "{")
	to := map[string]*int{"dynamo_frontend_input_sequence_tokens_sum": &c.Prompt,
		"dynamo_frontend_output_tokens_total": &c.Output, "dynamo_frontend_requests_total": &c.Failed,
		"dynamo_frontend_inflight_requests": &c.Open}[name]
	if to == nil {
		return nil
	}
	labels, value, _ := strings.Cut(labels, "} ")
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	if to == &c.Failed && strings.Contains(labels, `status="success"`) {
		to = &c.Whole
		if strings.Contains(labels, `request_type="stream"`) {
			to = &c.Streamed
		}
	}
	*to += int(n)
	return nil
}
