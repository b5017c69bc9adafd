// Package sla finds the prefill and the decode worker that meet targets of TTFT
// and ITL, as one procedure: lay out the candidates, search both phases, match
// pools, recommend a deployment, measure the workers that were picked in depth, and
// write what Dynamo's planner and its operator read.
//
// The strategies, which decide what is measured next, are those of package
// profile; what runs a candidate is its Bench. This package has the stages around
// them, the status file, the files of results and their texts. What was measured
// lies in the folder before the next begins, so that a search that was ended goes
// on where it was.
//
// [Asked] makes a search of options. The search prints nothing of its own accord:
// its [Config] has functions to talk to, and what fields are called there.
package sla
