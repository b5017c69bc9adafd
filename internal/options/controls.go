package options

import (
	"strings"

	"headway/internal/fault"
)

// Controls are what servers are asked for around a run, by POST to paths that vLLM
// and SGLang have.
type Controls struct {
	ResetCache  bool    `name:"reset-kv-cache" help:"Empty the servers' KV caches before each run, by POST to --reset-kv-cache-path."`
	ResetPath   string  `name:"reset-kv-cache-path" default:"/reset_prefix_cache" placeholder:"PATH" help:"Path that empties a server's KV cache."`
	ResetWithin Seconds `name:"reset-kv-cache-timeout-seconds" default:"30" placeholder:"TIME" help:"Longest wait for a server to empty its KV cache (s)."`

	Profiler       bool    `name:"server-profiler" help:"Start the servers' own profilers before the measurement and stop them after it, by POST. Profiling slows a server down."`
	ProfilerStart  string  `name:"server-profiler-start-path" default:"/start_profile" placeholder:"PATH" help:"Path that starts a server's profiler."`
	ProfilerStop   string  `name:"server-profiler-stop-path" default:"/stop_profile" placeholder:"PATH" help:"Path that stops a server's profiler."`
	ProfilerWithin Seconds `name:"server-profiler-timeout-seconds" default:"30" placeholder:"TIME" help:"Longest wait for a server to start or stop its profiler (s)."`
}

// Faults lists what is wrong with the options.
func (c *Controls) Faults(given map[string]bool, bad *fault.List) {
	bad.Idle(given, !c.ResetCache, "reset-kv-cache-path reset-kv-cache-timeout-seconds", fault.Field("reset-kv-cache"))
	bad.Idle(given, !c.Profiler, "server-profiler-start-path server-profiler-stop-path server-profiler-timeout-seconds",
		fault.Field("server-profiler"))
	if c.ResetCache {
		control(bad, "reset-kv-cache-path", c.ResetPath)
		bad.Positive("reset-kv-cache-timeout-seconds", float64(c.ResetWithin))
	}
	if c.Profiler {
		control(bad, "server-profiler-start-path", c.ProfilerStart)
		control(bad, "server-profiler-stop-path", c.ProfilerStop)
		bad.Positive("server-profiler-timeout-seconds", float64(c.ProfilerWithin))
	}
}

// control refuses what is no path below a server's root.
func control(bad *fault.List, field fault.Field, path string) {
	bad.Check(strings.HasPrefix(path, "/"), field, path, "a path that begins with /")
}
