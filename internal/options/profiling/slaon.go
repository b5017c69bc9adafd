package profiling

import (
	"time"

	"headway/internal/fault"
	"headway/internal/options"
)

// SLAOn say where candidates run.
type SLAOn struct {
	On string `name:"on" enum:"sim,process,kube" default:"sim" help:"Where candidates run: sim (simulated in virtual time by a roofline, or by --twin), process (engines started on this host) or kube (a DynamoGraphDeployment each)."`

	LoadRate float64              `name:"weights-load-rate" default:"2" help:"sim: GB/s at which a node reads weights; an assumption, and part of the GPU-minutes."`
	Startup  options.Milliseconds `name:"engine-startup-time" default:"0" placeholder:"TIME" help:"sim: what an engine takes to start beside that (ms, or 60s)."`

	Twin        string `name:"twin" type:"path" placeholder:"FILE" help:"sim: a twin.json of headway twin fit; candidates of --twin-mapping are simulated by it, with its server's settings, other mappings by the roofline."`
	TwinMapping string `name:"twin-mapping" default:"TP=1" placeholder:"TP=N" help:"sim, with --twin: mapping of the server that the twin was fitted to, on the GPU that --gpu names; the file does not tell."`
	TwinSeqs    int    `name:"max-num-seqs" default:"0" placeholder:"N" help:"sim, with --twin: most sequences in a step. Default: those of the twin's server."`
	TwinTokens  int    `name:"max-num-batched-tokens" default:"0" placeholder:"N" help:"sim, with --twin: most tokens in a step; SGLang: its chunked prefill. Default: those of the twin's server."`

	MaxKV int `name:"max-kv-tokens" default:"0" placeholder:"N" help:"Tokens that an engine's KV cache holds, all attention ranks together. process, kube: default what its log says. sim, with --twin: default what the twin's server has."`

	Command     string          `name:"engine-command" placeholder:"TEMPLATE" help:"process: how an engine is started, with {model} {port} {tp} {gpus} {mapping} … (docs/process.md). Default: the backend's own server."`
	Prefill     string          `name:"prefill-command" placeholder:"TEMPLATE" help:"process: the same for prefill candidates, whose prefix cache has to be off."`
	GPUs        string          `name:"gpus" apart:"" placeholder:"0,1,…|N" help:"process: ids of the GPUs to use, or how many. Default: those of CUDA_VISIBLE_DEVICES, else all of the host."`
	Health      string          `name:"engine-health-path" placeholder:"PATH" help:"process: answers 200 when an engine is ready. Default: /v1/models, which has to list the model."`
	StartWithin options.Seconds `name:"engine-start-timeout" apart:"" default:"1800" placeholder:"TIME" help:"process: longest time (s) from the start of an engine to its first answer."`
	StopGrace   options.Seconds `name:"engine-stop-grace" apart:"" default:"30" placeholder:"TIME" help:"process: how long (s) an engine may take to stop before it is killed."`

	Namespace     string          `name:"namespace" short:"n" default:"dynamo-sla-profiler" help:"kube: namespace of the deployments; DGDR_NAMESPACE replaces the default."`
	ServiceName   string          `name:"service-name" default:"" placeholder:"NAME" help:"kube: the frontend's service. Default: <deployment>-frontend."`
	DeployWithin  options.Seconds `name:"deployment-timeout" apart:"" default:"1800" placeholder:"TIME" help:"kube: longest time (s) until a deployment is ready."`
	Unschedulable options.Seconds `name:"unschedulable-grace" apart:"" default:"60" placeholder:"TIME" help:"kube: how long (s) no node may take a pod before the candidate is given up."`

	NoServerMetrics bool `name:"no-server-metrics" apart:"" help:"process, kube: read no metrics of the candidates' servers."`

	options.Sampling
	options.KubeAccess
	options.Tokens
	options.NoConnect
	options.Audit
	options.Exports
}

// Telemetry is what is read beside the loads: of servers the candidates' own pages.
func (f *SLAOn) Telemetry() options.Telemetry {
	return options.Telemetry{Counters: options.Counters{NoServerMetrics: f.NoServerMetrics}, Sampling: f.Sampling}
}

// processOptions and kubeOptions have no meaning with another --on.
const (
	samplingOptions = "no-server-metrics gpu-telemetry no-gpu-telemetry telemetry-interval"
	processOptions  = "engine-command prefill-command gpus engine-health-path engine-start-timeout engine-stop-grace"
	kubeOptions     = "service-name deployment-timeout unschedulable-grace kubeconfig context"
)

// onFaults checks where candidates run. What a command or a list of GPUs says is
// read by whoever starts engines of it.
func (f *SLA) onFaults(a options.Caller, bad *fault.List) {
	on := fault.Field("on")
	bad.Idle(a.Given, f.On != "process", processOptions, fault.New("%s process", on))
	bad.Idle(a.Given, f.On == "sim", "no-preconnect max-lag", fault.New("%s process or %s kube", on, on))
	bad.Idle(a.Given, f.On != "kube", kubeOptions, fault.New("%s kube", on))
	bad.Idle(a.Given, f.On == "sim", "tokenizer tokenizer-revision", fault.New("%s process or kube", on))
	f.twinFaults(a, bad)
	// A plan simulates the candidates, whatever they run on, by both searches.
	bad.Idle(a.Given, f.On != "sim" && !f.DryRun, "weights-load-rate engine-startup-time",
		fault.New("%s sim or %s", on, fault.Field("dry-run")))
	bad.Idle(a.Given, f.Method != "fast" && !f.DryRun, "roofline-error",
		fault.New("%s fast or %s", fault.Field("search"), fault.Field("dry-run")))
	bad.NotNegative("max-kv-tokens", float64(f.MaxKV))
	bad.Idle(a.Given, f.On == "sim", samplingOptions, fault.New("%s process or %s kube", on, on))
	// Nothing is loaded in a simulation; its results can be sent all the same.
	bad.Idle(a.Given, f.On == "sim", "otel-url otel-traces otel-resource-attributes gen-ai-provider metrics-listen "+
		"export-llmd-report", fault.New("%s process or %s kube", on, on))
	f.Exports.Faults(a, bad)
	f.Audit.Faults(bad)
	f.Sampling.Faults(bad)
	switch f.On {
	case "process":
		bad.Positive("engine-start-timeout", time.Duration(f.StartWithin).Seconds())
		bad.NotNegative("engine-stop-grace", time.Duration(f.StopGrace).Seconds())
	case "kube":
		bad.Positive("deployment-timeout", time.Duration(f.DeployWithin).Seconds())
		bad.Positive("unschedulable-grace", time.Duration(f.Unschedulable).Seconds())
	}
}

// twinFaults are those of a twin among the candidates. What its file says is read by
// whoever simulates it.
func (f *SLAOn) twinFaults(a options.Caller, bad *fault.List) {
	on, fitted := fault.Field("on"), fault.Field("twin")
	bad.Idle(a.Given, f.On != "sim", "twin", fault.New("%s sim", on))
	bad.Idle(a.Given, f.On == "sim" && f.Twin == "", "max-kv-tokens", fault.New("%s process, %s kube, or %s", on, on,
		fitted))
	bad.Idle(a.Given, f.Twin == "", "twin-mapping max-num-seqs max-num-batched-tokens", fitted)
	bad.NotNegative("max-num-seqs", float64(f.TwinSeqs))
	bad.NotNegative("max-num-batched-tokens", float64(f.TwinTokens))
}
