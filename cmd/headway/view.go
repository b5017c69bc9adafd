package main

import (
	"context"
	"net/http"

	"headway/internal/cli"
	"headway/internal/options"
	"headway/internal/sla"
	"headway/internal/study"
	"headway/internal/web"
)

// viewCmd shows results to a browser.
type viewCmd struct {
	Dir    string             `arg:"" optional:"" type:"path" default:"results" help:"Folder of results, or one above several. Default: results."`
	Listen options.WebAddress `name:"listen" aliases:"web" default:"127.0.0.1:0" placeholder:"ADDR" help:"Address of the pages (host:port or a port). A port alone is of this host only (127.0.0.1); another host, such as 0.0.0.0, opens the results without a password to everyone who can reach it. Default: a free port of 127.0.0.1, which is printed."`
}

// Help is shown below the options.
func (viewCmd) Help() string {
	return `Lists what lies in the folder and below it, opens the report of each result, and lays up to twelve
over one another: tables and curves of all in the same pictures. What is searched, ordered and
selected stands in the address, which can be sent to others who see the same folder. Nothing is written.

Examples:

  headway view results
  headway view artifacts --listen 8080
  headway view /data/benchmarks --listen 0.0.0.0:8080
      open to everyone who reaches this host, without a password`
}

func (*viewCmd) ServesUntilInterrupted() {}

func (c *viewCmd) Run(ctx context.Context, a cli.App) (int, error) {
	if err := a.ServeResults(ctx, c.Listen, c.Dir); err != nil {
		return cli.Failed, err
	}
	return cli.Done, nil
}

// results shows a folder to a browser.
func results(dir string) http.Handler {
	s := web.Results{Dir: dir, Read: study.Remake{Others: profiles}.Read, Kinds: sla.Kinds(),
		Version: cli.Version}
	return s.Handler()
}
