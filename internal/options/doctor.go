package options

import (
	"headway/internal/fault"
	"headway/internal/openai"
)

// Doctor says what is looked at for what would spoil a measurement.
type Doctor struct {
	Path      string   `arg:"" optional:"" type:"path" help:"Folder of results, or one above several, in which to look for what is odd."`
	URLs      []string `name:"url" short:"u" placeholder:"URL" help:"Base URL of a server to check; repeatable."`
	Namespace string   `name:"namespace" short:"n" placeholder:"NAME" help:"Namespace of a Kubernetes cluster to check."`
	Format    string   `name:"format" apart:"" enum:"terminal,markdown,json" default:"terminal" help:"Format of the tables on standard output: ${enum}."`
	Quiet     bool     `name:"quiet" short:"q" help:"Print failed checks only, and no progress."`

	Endpoint
	KubeAccess
}

// withoutEffect are options of an endpoint that say nothing to a few single requests.
const withoutEffect = "wait-for-model-timeout wait-for-model-mode wait-for-model-interval token-count " +
	"use-server-token-count per-chunk-usage"

// Clients are the configurations of the servers, one for each address. A model may be
// missing, and an address may be wrong: the checks say so. The error lists every other
// fault of the options.
func (d *Doctor) Clients(a Caller) ([]openai.Config, error) {
	var bad fault.List
	bad.Idle(a.Given, true, withoutEffect, fault.New("a measurement"))
	bad.Idle(a.Given, len(d.URLs) == 0, "model custom-endpoint header extra-inputs", fault.Field("url"))
	bad.Idle(a.Given, d.Namespace == "", "kubeconfig context", fault.Field("namespace"))
	end := d.Endpoint
	if len(end.Model) == 0 {
		end.Model = []string{"any"}
	}
	c, err := end.Client(a, []string{"http://localhost:8000"}, true)
	bad.Join(err)
	if bad.Usage() != nil {
		return nil, bad.Usage()
	}
	c.Models = d.Model
	var all []openai.Config
	for _, u := range d.URLs {
		one := c
		one.URLs = []string{u}
		all = append(all, one)
	}
	return all, nil
}
