package dgdr

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"headway/internal/fault"
)

// readAlpha reads a spec of v1alpha1, whose targets stand in the sections of
// Dynamo's older profiler.
func readAlpha(r *Request, f *fields) {
	readModel(r, f)
	f.bad.When(!f.has("backend"), "%s: is missing", f.at("backend"))
	readRuntime(r, f)
	if p := f.object("profilingConfig"); p != nil {
		readProfiling(r, p)
	} else {
		f.bad.Add("%s: is missing", f.at("profilingConfig"))
	}
	if o := f.object("deploymentOverrides"); o != nil {
		readDeployment(r, o)
	}
	if f.has("enableGpuDiscovery") {
		f.truth("enableGpuDiscovery")
		r.unused(f.at("enableGpuDiscovery"), "it has no effect since Dynamo 1.0; headway does not look at nodes")
	}
	r.Mocker, _ = f.truth("useMocker")
	r.MockerPath = f.at("useMocker")
	readApply(r, f)
	f.done()
}

// readProfiling reads how the profiling job is run, and its configuration.
func readProfiling(r *Request, f *fields) {
	image := f.text("profilerImage")
	f.bad.When(!f.has("profilerImage"), "%s: is missing", f.at("profilerImage"))
	if image != "" {
		r.unused(f.at("profilerImage"), "headway is the profiler")
	}
	r.Final.Tolerations = f.list("tolerations")
	for _, key := range []string{"resources", "nodeSelector"} {
		if f.raw(key) != nil {
			r.unused(f.at(key), "headway is no job of the cluster")
		}
	}
	if f.text("outputPVC") != "" {
		r.unused(f.at("outputPVC"), "results are in the output folder")
	}
	if ref := f.object("configMapRef"); ref != nil {
		key := ref.text("key")
		if key == "" {
			key = "disagg.yaml"
		}
		r.BaseRef = ref.text("name") + "/" + key
		f.bad.When(!ref.has("name"), "%s: is missing", ref.at("name"))
		ref.done()
	}
	config := f.object("config")
	if config == nil {
		config = newFields(f.at("config"), map[string]any{}, f.bad)
	}
	readConfig(r, config)
	f.done()
}

// readDeployment reads what the deployment is called, and its image.
func readDeployment(r *Request, f *fields) {
	r.text(f, "workersImage", "dgd-image")
	r.Final.Name, r.Final.Namespace = f.text("name"), f.text("namespace")
	r.Final.Labels, r.Final.Annotations = f.raw("labels"), f.raw("annotations")
	f.done()
}

// readConfig reads the sections of the profiler's configuration, whose keys are
// written in camelCase, or with underscores before Dynamo 0.8.1.
func readConfig(r *Request, f *fields) {
	f.spelled = snake
	r.text(f, "output_dir", "output-dir")
	for _, section := range []struct {
		name string
		read func(*Request, *fields)
	}{
		{"deployment", readConfigDeployment}, {"engine", readConfigEngine}, {"hardware", readConfigHardware},
		{"sla", readConfigSLA}, {"sweep", readConfigSweep},
	} {
		s := f.object(section.name)
		if s == nil {
			s = newFields(f.at(section.name), map[string]any{}, f.bad)
		}
		section.read(r, s)
		s.done()
	}
	if planner := f.raw("planner"); planner != nil {
		readPlanner(r, f.where("planner"), plain(planner))
	}
	f.done()
}

// plain are the keys of the planner's section without their prefix.
func plain(given map[string]any) map[string]any {
	out := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		out[strings.TrimPrefix(snake(k), "planner_")] = given[k]
	}
	return out
}

func readConfigDeployment(r *Request, f *fields) {
	r.same(f, "model", "model")
	r.text(f, "namespace", "namespace")
	r.text(f, "dgd_image", "dgd-image")
	r.text(f, "service_name", "service-name")
	cache := f.object("model_cache")
	if cache == nil {
		return
	}
	path, mount := "pvc_path", "mount_path"
	if cache.has("model_path_in_pvc") {
		path = "model_path_in_pvc"
	}
	if cache.has("pvc_mount_path") {
		mount = "pvc_mount_path"
	}
	readCache(r, cache, "pvc_name", path, mount)
	cache.done()
}

func readConfigEngine(r *Request, f *fields) {
	r.same(f, "backend", "backend")
	r.text(f, "config", "dgd-config")
	r.above(f, "max_context_length", "max-context-length")
}

func readConfigHardware(r *Request, f *fields) {
	r.above(f, "min_num_gpus_per_engine", "min-num-gpus-per-engine")
	r.above(f, "max_num_gpus_per_engine", "max-num-gpus-per-engine")
	r.above(f, "num_gpus_per_node", "num-gpus-per-node")
	if on, _ := f.truth("enable_gpu_discovery"); on {
		r.unused(f.where("enable_gpu_discovery"), "headway does not look at the cluster's nodes")
	}
}

func readConfigSLA(r *Request, f *fields) {
	r.whole(f, "isl", "isl", 1)
	r.whole(f, "osl", "osl", 1)
	r.number(f, "ttft", "ttft", "milliseconds", 1)
	r.number(f, "itl", "itl", "milliseconds", 1)
}

func readConfigSweep(r *Request, f *fields) {
	r.above(f, "prefill_interpolation_granularity", "prefill-interpolation-granularity")
	r.above(f, "decode_interpolation_granularity", "decode-interpolation-granularity")
	if dry, _ := f.truth("dry_run"); dry {
		r.set("dry-run", f.where("dry_run"), true)
	}
	if web, _ := f.truth("pick_with_webui"); web {
		f.bad.Add("%s: is not built: the pick is in the result, and its pictures show the others",
			f.where("pick_with_webui"))
	}
	if key, v := f.take("webui_port"); v != nil {
		r.unused(f.at(key), "there is no page to pick from")
	}
	readSimulator(r, f)
}

// readSimulator reads whether candidates are simulated, and of what.
func readSimulator(r *Request, f *fields) {
	if simulated, _ := f.truth("use_ai_configurator"); simulated {
		r.Simulated = f.where("use_ai_configurator")
		r.note(f.where("use_ai_configurator"),
			"candidates are simulated by headway's roofline, not by AIConfigurator's database")
	} else {
		r.Measured = f.where("use_ai_configurator") + " false"
	}
	r.text(f, "aic_system", "gpu")
	r.same(f, "aic_hf_id", "model")
	r.same(f, "aic_model_name", "model")
	r.same(f, "aic_backend", "backend")
	if key, v := f.take("aic_backend_version"); v != nil {
		f.text("aic_backend_version")
		r.unused(f.at(key), "headway's roofline has no versions of engines")
	}
}

// above gives an option the value of a field, where that is not the 0 by which the
// profiler leaves it open.
func (r *Request) above(f *fields, name string, option fault.Field) {
	if n, given := f.whole(name, 0); given && n > 0 {
		r.set(option, f.where(name), n)
	}
}

// same takes a field that says again what stands elsewhere in the request.
func (r *Request) same(f *fields, name string, option fault.Field) {
	s, is := f.text(name), r.Of(option)
	if s != "" && is != nil && is != s {
		f.bad.Add("%s: %q, and spec.%s is %q: give one of them", f.where(name), s, option, is)
	}
}

// snake is a key in camelCase with underscores.
func snake(key string) string {
	var b strings.Builder
	lower := false
	for _, c := range strings.ReplaceAll(key, "-", "_") {
		if unicode.IsUpper(c) && lower {
			b.WriteByte('_')
		}
		lower = unicode.IsLower(c) || unicode.IsDigit(c)
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// camel is a key with underscores in camelCase.
func camel(key string) string {
	words := strings.Split(key, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}
