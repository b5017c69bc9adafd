package main

import (
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/internal/options"
)

// profileCmd is about engines in depth. Under the name aiperf the command
// profile is one measurement and means `headway run`.
type profileCmd struct {
	Endpoint profileEndpointCmd `cmd:"" help:"Measure TTFT over prompt lengths, or ITL over load and context, on an endpoint that runs."`
	Query    profileQueryCmd    `cmd:"" help:"Answer from a profile what Dynamo's planner would, and what the measurements support."`
	Roofline profileRooflineCmd `cmd:"" help:"Compare a profile with the roofline of a model on a GPU, and fit its efficiencies."`
	Sla      slaCmd             `cmd:"" help:"Find the prefill and decode workers that meet targets of TTFT and ITL at the least cost."`
	Cleanup  cleanupCmd         `cmd:"" help:"Remove what killed searches left behind."`
}

// profileOf says what the command profile means: aiperf's is `headway run`,
// ours has commands of its own, of which one must be named.
func profileOf(a options.Caller, args []string) ([]string, error) {
	if len(args) == 0 || args[0] != "profile" {
		return args, nil
	}
	if a.AsAiperf {
		return append([]string{"run"}, args[1:]...), nil
	}
	rest := args[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "-") && !slices.Contains(rest, "--help") && rest[0] != "-h" {
		return nil, fault.Usage(fault.New("headway profile needs a command, such as endpoint or query (see headway "+
			"profile %s); one measurement with the options of `aiperf profile` is `headway run`", fault.Field("help")))
	}
	return args, nil
}
