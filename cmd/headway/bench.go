package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
)

// benchCmd sweeps concurrency levels, as Dynamo's benchmark script does.
type benchCmd struct {
	options.Bench
	forwardFlags
}

// Help is shown below the options.
func (benchCmd) Help() string {
	return `Examples:

  headway bench
      a simulated endpoint in this process: tables, files and pictures in ./results

  headway bench --benchmark-name my-run --endpoint-url http://localhost:8000 \
      --model Qwen/Qwen3-0.6B --isl 2000 --std 10 --osl 256 --output-dir results

  headway bench --benchmark-name a --endpoint-url http://host-a:8000 \
      --benchmark-name b --endpoint-url http://host-b:8000 --model M --num-profile-runs 3 \
      --objective 'time_to_first_token p99 < 500ms'

  headway bench --endpoint-url http://localhost:8000 --model M --requests-per-slot 5
      longer, so that the figures of every level have intervals

  headway bench --endpoint-url http://localhost:8000 --model M --web
      a page to follow it in a browser, which becomes the report

  headway bench --port-forward svc/vllm-agg-frontend --namespace dynamo --model M

The start of a level is not measured: its requests begin at one instant and wait
for each other, and those after them do so less and less. Warm-up requests are
sent in rounds of one for each slot. When two rounds in a row had like times to
first token, the measured requests follow on the same slots without a pause. They
follow at the latest after as many rounds as make six together with the measured
ones. More requests are sent after them until the last of them has ended.
--warmup-request-count 0 measures all from the first instant on.`
}

// Run measures every level of every endpoint.
func (b *benchCmd) Run(ctx context.Context, a cli.App) (int, error) {
	urls, err := b.validate(a)
	if err != nil {
		return cli.Usage, err
	}
	for _, f := range (&options.Plan{Given: a.Given}).IdleNotes(b.Runs) {
		a.Note("note: %v", f)
	}
	ends := study.EndpointsOf(b.Names, urls)
	unforward, err := b.forwardFlags.open(ctx, a, ends, b.Telemetry.Counters)
	defer unforward()
	if err != nil {
		return cli.Failed, err
	}
	bench := study.Bench{Options: &b.Bench, Env: a.Caller, Caller: a, Claim: a.Claim, Asked: a.OptionSettings,
		Simulate: simulate, Way: b.way}
	trials, err := bench.Prepare(ctx, ends)
	for _, t := range trials {
		defer t.Close()
	}
	if err != nil {
		return cli.Failed, err
	}
	if err := a.Open(b.outside()); err != nil {
		return cli.Failed, err
	}
	faults := b.measure(ctx, a, trials)
	if err := b.plot(a, trials); err != nil {
		faults = append([]error{err}, faults...) // what can be done about an endpoint comes last
	}
	code := b.exit(a, trials)
	if len(faults) > 0 {
		return cli.Failed, errors.Join(faults...)
	}
	return code, nil
}

// outside is who follows the sweeps: all that they leave is sent, the pictures too.
func (b *benchCmd) outside() cli.Outside {
	return cli.Outside{Web: &b.Web, Exports: &b.Exports, Late: b.Lag(), Dir: b.shownFolder(), Quiet: b.Quiet,
		SentDir: b.OutputDir, SentParts: append([]string{"plots"}, b.Names...)}
}

// shownFolder is the folder of the results: of the one endpoint, or of all.
func (b *benchCmd) shownFolder() string {
	if len(b.Names) == 1 {
		return filepath.Join(b.OutputDir, b.Names[0])
	}
	return b.OutputDir
}

// Faults are those of the options.
func (b *benchCmd) Faults(a cli.App) error {
	_, err := b.validate(a)
	return err
}

// validate lists every fault, and returns the addresses of the endpoints.
func (b *benchCmd) validate(a cli.App) ([]string, error) {
	b.Forwarded = len(b.Forward)
	b.Defaults(time.Now())
	var bad fault.List
	b.forwardFlags.Faults(a, len(b.URLs), &bad)
	return b.Validate(a.Caller, bad)
}
