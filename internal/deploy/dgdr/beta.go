package dgdr

import (
	"fmt"
	"regexp"

	"headway/internal/deploy/dgd"
)

// backends are what the API takes for an engine.
var backends = append([]string{"auto"}, dgd.Backends()...)

// skus are the GPUs that the API and the profiler of 1.6 know.
var skus = []string{"vr_nvl72", "gb200", "gb200_sxm", "gb10", "b300_sxm", "b200_sxm", "h200_sxm", "h100_sxm",
	"h100_pcie", "a100_sxm", "a100_pcie", "a30", "l40s", "l40", "l4", "v100_sxm", "v100_pcie", "t4", "mi200", "mi300"}

// The defaults of v1beta1: tokens and milliseconds.
const (
	defaultISL   = 4000
	defaultOSL   = 1000
	defaultTTFT  = 2000.0
	defaultITL   = 30.0
	defaultMount = "/opt/model-cache"
)

var versionPattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$`)

// readBeta reads a spec of v1beta1.
func readBeta(r *Request, f *fields) {
	readModel(r, f)
	readImage(r, f)
	readRuntime(r, f)
	if cache := f.object("modelCache"); cache != nil {
		readCache(r, cache, "pvcName", "pvcModelPath", "pvcMountPath")
		cache.done()
	}
	readHardware(r, f.object("hardware"))
	readWorkload(r, f.object("workload"))
	readSLA(r, f.object("sla"))
	readOverrides(r, f.object("overrides"))
	readFeatures(r, f.object("features"))
	readStrategy(r, f)
	readApply(r, f)
	f.done()
	beside(f.at, r)
}

// beside gives what the spec leaves out the defaults of the API.
func beside(at func(string) string, r *Request) {
	r.otherwise("isl", at("workload.isl"), defaultISL)
	r.otherwise("osl", at("workload.osl"), defaultOSL)
	if r.Latency == 0 {
		r.otherwise("ttft", at("sla.ttft"), defaultTTFT)
		r.otherwise("itl", at("sla.itl"), defaultITL)
	}
	if r.Of("gpu") == nil {
		r.note(at("hardware.gpuSku"), "is not given: the operator looks at the cluster's nodes, and headway does not")
	}
}

// readModel reads what is served by which engine.
func readModel(r *Request, f *fields) {
	if r.text(f, "model", "model"); !f.has("model") {
		f.bad.Add("%s: is missing: name the model", f.at("model"))
	}
	switch b := f.oneOf("backend", backends...); b {
	case "", "auto":
		r.AnyBackend = true
	default:
		r.set("backend", f.at("backend"), b)
	}
}

// readRuntime reads the version that services are told to be of.
func readRuntime(r *Request, f *fields) {
	v := f.text("runtimeVersionOverride")
	if v != "" && !versionPattern.MatchString(v) {
		f.bad.Add("%s: %q is not a version such as 1.6.1", f.at("runtimeVersionOverride"), v)
	}
	r.Final.RuntimeVersion = v
}

// readCache reads which volume claim holds the model, by the names of its fields.
func readCache(r *Request, f *fields, name, path, mount string) {
	r.text(f, name, "model-cache-pvc-name")
	r.text(f, path, "model-cache-pvc-path")
	r.text(f, mount, "model-cache-pvc-mount-path")
	if !f.has(name) {
		for _, key := range []string{path, mount} {
			f.bad.When(f.has(key), "%s: needs %s, the claim that it is in", f.where(key), f.where(name))
		}
		return
	}
	r.otherwise("model-cache-pvc-mount-path", f.where(mount), defaultMount)
}

func readHardware(r *Request, f *fields) {
	if f == nil {
		return
	}
	if sku := f.oneOf("gpuSku", skus...); sku != "" {
		r.set("gpu", f.at("gpuSku"), sku)
	}
	r.number(f, "vramMb", "gpu-memory-gib", "MiB", 1.0/1024)
	r.whole(f, "totalGpus", "total-gpus", 1)
	r.whole(f, "numGpusPerNode", "num-gpus-per-node", 1)
	r.Interconnect = f.text("interconnect")
	if rdma, given := f.truth("rdma"); given {
		r.NoRDMA = !rdma
	}
	f.done()
}

func readWorkload(r *Request, f *fields) {
	if f == nil {
		return
	}
	r.whole(f, "isl", "isl", 1)
	r.whole(f, "osl", "osl", 1)
	r.number(f, "concurrency", "concurrency", "requests", 1)
	r.number(f, "requestRate", "request-rate", "requests per second", 1)
	f.bad.When(f.has("concurrency") && f.has("requestRate"), "%s and %s: give one of them", f.at("concurrency"),
		f.at("requestRate"))
	f.done()
}

func readSLA(r *Request, f *fields) {
	if f == nil {
		return
	}
	r.number(f, "ttft", "ttft", "milliseconds", 1)
	r.number(f, "itl", "itl", "milliseconds", 1)
	if ms, given := f.number("e2eLatency", "milliseconds"); given {
		r.Latency = ms / 1e3
	}
	f.bad.When(f.has("e2eLatency") && (f.has("ttft") || f.has("itl")),
		"%s with %s or %s: give the whole latency, or both parts of it", f.at("e2eLatency"), f.at("ttft"), f.at("itl"))
	if f.oneOf("optimizationType", "latency", "throughput") == "latency" {
		f.bad.Add("%s: latency: the search finds the most throughput within the targets: leave it out, and lower %s "+
			"and %s", f.at("optimizationType"), f.at("ttft"), f.at("itl"))
	}
	f.done()
}

// readStrategy reads how it is searched: rapid simulates, thorough deploys every
// candidate.
func readStrategy(r *Request, f *fields) {
	switch f.oneOf("searchStrategy", "rapid", "thorough") {
	case "thorough":
		r.Measured = f.at("searchStrategy") + " thorough"
		r.set("search", f.at("searchStrategy"), "thorough")
	case "rapid":
		r.Simulated = f.at("searchStrategy") + " rapid"
	}
}

// readApply reads whether the operator is to deploy what is found.
func readApply(r *Request, f *fields) {
	if apply, _ := f.truth("autoApply"); apply {
		r.unused(f.at("autoApply"), fmt.Sprintf("nothing is deployed; kubectl apply -f %s does", FinalName))
	}
}

// FinalName is the file of the deployment that the search ends with, as Dynamo's
// profiler calls it.
const FinalName = "final_config.yaml"
