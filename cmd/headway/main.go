// Command headway benchmarks LLM inference endpoints.
//
//	headway bench      sweep concurrency over an endpoint, or over a simulated one
//	headway run        one measurement, with the options of aiperf profile
//	headway plot       pictures of results
//	headway report     tables, files and pictures again of results on disk, also of killed runs
//	headway view       results on disk in a browser, several laid over one another
//	headway compare    whether one side of results is better, with gates for CI
//	headway duel       which of two servers is better, ended as soon as it is known
//	headway router     what KV-aware routing gains
//	headway trace      describe, draw and convert traces
//	headway profile    measure an engine in depth, find the configuration that meets targets
//	headway sim        the simulated endpoint as a server of its own
//	headway plan       how many replicas a recorded load needs
//	headway calibrate  what this machine can carry as a client
//	headway doctor     what would spoil a measurement, and what to do about it
//
// Exit codes: 0 done, 1 failed, 2 usage, 3 an objective or a gate was missed or more
// requests failed than --fail-above allows, 4 the measurement is not valid, 5 the
// measurement does not decide an objective, 130 interrupted. Under the name aiperf it behaves
// as aiperf and gives 0, 1 and 2.
package main

import (
	"io"
	"log"
	"os"

	"github.com/alecthomas/kong"

	"headway/internal/cli"
	"headway/internal/options"
	"headway/internal/sla"
	"headway/internal/study/router"
)

func main() {
	// net/http writes there what servers send unasked, in the middle of a display
	// and also with --quiet. It costs nobody a reply.
	log.SetOutput(io.Discard)
	os.Exit(Main(cli.App{
		Args: os.Args, Stdout: os.Stdout, Stderr: os.Stderr,
		Caller: options.Caller{Environ: os.Environ(), Version: cli.Version}, Exit: os.Exit,
	}))
}

// verbs is the grammar of the command line.
type verbs struct {
	Config cli.ConfigFile `name:"config" apart:"" short:"f" type:"path" placeholder:"FILE" help:"YAML file with options (option: value); environment and command line win over it."`

	Bench      benchCmd       `cmd:"" help:"Sweep concurrency levels over an endpoint. Without --endpoint-url, over a simulated one."`
	Run        runCmd         `cmd:"" help:"One measurement, with the options of 'aiperf profile'."`
	Profile    profileCmd     `cmd:"" help:"Profile an engine in depth, and ask a profile."`
	Plot       plotCmd        `cmd:"" help:"Draw pictures of the results in a folder."`
	Report     reportCmd      `cmd:"" help:"Make tables, files and pictures again from the results on disk."`
	Compare    compareCmd     `cmd:"" help:"Compare results on disk: better, worse, the same or not decided; gates for CI."`
	Duel       duelCmd        `cmd:"" help:"Which of two servers is better: the same load in blocks, until it is decided; or the first bad revision."`
	Sim        simCmd         `cmd:"" help:"The simulated endpoint."`
	Trace      traceCmd       `cmd:"" help:"Describe, draw and convert traces."`
	Router     routerCmd      `cmd:"" help:"Benchmark the routing of requests: what does KV-aware routing gain?"`
	View       viewCmd        `cmd:"" help:"Show results on disk in a browser: list, open, compare."`
	Twin       twinCmd        `cmd:"" help:"Simulators calibrated on a real server."`
	Plan       planCmd        `cmd:"" help:"How many replicas of which engine a recorded load needs, what they cost, and how sure that is."`
	Calibrate  calibrateCmd   `cmd:"" help:"Measure the load that this machine can generate and receive as a client, and keep the result for later runs."`
	Doctor     doctorCmd      `cmd:"" help:"Look for what would spoil a measurement: at an endpoint, on this host, in a Kubernetes namespace, in a folder of results."`
	Carried    carriedCmd     `cmd:"" name:"calibrate-server" hidden:"" help:"The server that calibrate starts."`
	Completion cli.Completion `cmd:"" help:"Print a shell's completion script."`
	Man        cli.Man        `cmd:"" help:"Print the manual page of a command."`
	Version    versionCmd     `cmd:"" help:"Print the version, the licences of what the binary holds, or its bill of materials."`
}

// BeforeResolve reads the file of options.
func (v *verbs) BeforeResolve(a cli.App, ctx *kong.Context) error { return a.ReadConfig(ctx) }

// Main runs headway and returns its exit code.
func Main(a cli.App) int {
	a.Grammar = commands()
	return cli.Main(a)
}

// commands are headway's.
func commands() cli.Commands {
	return cli.Commands{New: func() any { return new(verbs) }, Rewrite: rewritten, Results: results}
}

// rewritten are the arguments as the grammar has them: those of aiperf and of
// Dynamo's profiler are spelled in other ways.
func rewritten(c options.Caller, args []string) ([]string, error) {
	args, err := profileOf(c, args)
	if err != nil {
		return nil, err
	}
	return sla.Arguments(router.Arguments(args), c.Getenv)
}
