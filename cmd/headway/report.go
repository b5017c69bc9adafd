package main

import (
	"context"
	"path/filepath"

	"headway/internal/cli"
	"headway/internal/options"
	"headway/internal/study"
	"headway/internal/study/pages"
	"headway/report/picture"
)

// reportCmd makes the results of a folder again, of what lies on disk.
type reportCmd struct{ options.Report }

// Help is shown below the options.
func (reportCmd) Help() string {
	return `Every figure is computed again from the requests on disk: records.jsonl, or profile_export.jsonl where
there are no records, also aiperf's. Nothing is written unless --write or --output-dir is given.

Examples:

  headway report artifacts/my-run
  headway report artifacts/my-run --as vllm
      the figures that vLLM's benchmark would have given for these requests, and why they differ
  headway report results --format markdown > results.md
  headway report results -o results.html
      one page with tables, pictures and requests, to be sent
  headway report results/my-run --objective 'time_to_first_token p99 < 300ms' --num-gpus 4
  headway report results --output-dir again
      every table, JSON, CSV and picture, without touching the results
  headway report --recover results
      the results of every run below the folder that was killed (kill -9, out of memory, a power cut)`
}

func (c *reportCmd) Run(_ context.Context, a cli.App) (int, error) {
	goals, err := c.Objectives()
	if err != nil {
		return cli.Usage, err
	}
	if c.Recover {
		return c.recover(a)
	}
	disk, err := study.Remake{Objectives: goals, NumGPUs: c.NumGPUs, Others: profiles}.Read(c.Path)
	if err != nil {
		return cli.Failed, err
	}
	for _, text := range disk.Untold() {
		c.note(a, "not re-made: %s", text)
	}
	if err := c.write(a, disk); err != nil {
		return cli.Failed, err
	}
	if c.Quiet && !c.JSON && c.Output == "" {
		return c.decide(a, disk), nil
	}
	if err := c.show(a, disk); err != nil {
		return cli.Failed, err
	}
	return c.decide(a, disk), nil
}

// note says something that is no error.
func (c *reportCmd) note(a cli.App, format string, args ...any) {
	if !c.Quiet {
		a.Note(format, args...)
	}
}

// write makes the files where they are asked for.
func (c *reportCmd) write(a cli.App, disk *study.Disk) error {
	root, out := disk.Root, c.OutputDir
	if c.Write {
		out = root
	}
	if out == "" {
		return nil
	}
	release, err := a.Claim(out)
	defer release()
	if err != nil {
		return err
	}
	if err := disk.Write(out, picture.WriteComparison); err != nil {
		return err
	}
	c.note(a, "results: %s", out)
	pages.LeaveIn(out, disk, cli.Version, a.Note)
	if !disk.Swept() {
		return nil
	}
	if c.Quiet {
		a = a.Silent()
	}
	return plot(a, out, filepath.Join(out, "plots"), nil, c.NumGPUs)
}

func (reportCmd) EndsAtOnce() {}
