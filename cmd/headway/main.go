// Command headway benchmarks LLM inference endpoints.
//
//	headway bench      sweep concurrency over an endpoint, or over a simulated one
//	headway run        one measurement, with the options of aiperf profile
//	headway plot       pictures of results
//	headway router     what KV-aware routing gains
//	headway trace      describe, draw and convert traces
//	headway profile    measure an engine in depth, find the configuration that meets targets
//	headway sim        the simulated endpoint as a server of its own
//	headway calibrate  what this machine can carry as a client
//
// Exit codes: 0 done, 1 failed, 2 usage, 3 an objective was missed or more
// requests failed than --fail-above allows, 4 the measurement is not valid, 5 the
// measurement does not decide an objective, 130 interrupted. Under the name aiperf it behaves as aiperf and gives 0, 1 and 2.
package main

import (
	"os"
)

func main() {
	os.Exit(Main(app{
		args: os.Args, stdout: os.Stdout, stderr: os.Stderr,
		environ: os.Environ(), exit: os.Exit,
	}))
}
