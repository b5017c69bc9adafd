package main

import (
	"context"
	"fmt"

	"headway/internal/cli"
	"headway/internal/deploy/kube"
	"headway/internal/doctor"
	"headway/internal/options"
	"headway/report"
)

// doctorCmd looks for what would spoil a measurement, or has spoilt one.
type doctorCmd struct{ options.Doctor }

// Help is shown below the options.
func (doctorCmd) Help() string {
	return `Checks an endpoint (--url), a namespace of a Kubernetes cluster (--namespace) or a folder of results, and says
of each check what was seen and what to do. Without any of them, and with --url, this host is checked as a
client. An endpoint gets a few requests of its own; nothing is changed anywhere. Exit code 1 when a check failed.

Examples:

  headway doctor
  headway doctor --url http://localhost:8000
  headway doctor --url https://host/v1 --model M --api-key KEY --format markdown > report.md
  headway doctor --namespace dynamo --quiet
  headway doctor artifacts/my-run`
}

func (c *doctorCmd) Run(ctx context.Context, a cli.App) (int, error) {
	subjects, end, err := c.subjects(a)
	if err != nil {
		return cli.Usage, err
	}
	defer end()
	code, whole := cli.Done, &report.Document{}
	for _, s := range subjects {
		if s.Note != "" && !c.Quiet {
			a.Note("%s: %s", s.Title, s.Note)
		}
		all := s.Run(ctx)
		if doctor.Worst(all) == doctor.Fail {
			code = cli.Failed
		}
		if d := s.Document(all, c.Quiet); d != nil {
			whole.Append(d)
		}
	}
	page := a.Page("")
	page.Markdown, page.JSON = c.Format == "markdown", c.Format == "json"
	if err := whole.Write(a.Stdout, page); err != nil {
		return cli.Failed, fmt.Errorf("printing the checks: %w", err)
	}
	return code, nil
}

// subjects are what is asked for, and what ends their connections.
func (c *doctorCmd) subjects(a cli.App) (all []doctor.Subject, end func(), err error) {
	clients, err := c.Clients(a.Caller)
	if err != nil {
		return nil, nil, err
	}
	var ends []func()
	for _, client := range clients {
		s, close := doctor.OfEndpoint(client, cli.FlagOf)
		all, ends = append(all, s), append(ends, close)
	}
	if c.Namespace != "" {
		cluster, err := kube.Connect(kube.Access{Kubeconfig: c.Kubeconfig, Context: c.Context, Namespace: c.Namespace})
		if err != nil {
			return nil, nil, err
		}
		all = append(all, doctor.OfNamespace(cluster, cli.FlagOf))
	}
	if c.Path != "" {
		all = append(all, doctor.OfFolder(c.Path, profiles))
	}
	if c.Path == "" && c.Namespace == "" {
		all = append(all, doctor.OfHost(a.Calibration()))
	}
	return all, func() {
		for _, end := range ends {
			end()
		}
	}, nil
}

func (doctorCmd) EndsAtOnce() {}
