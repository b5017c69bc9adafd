package sla

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"headway/internal/bound"
	"headway/internal/config"
	"headway/internal/deploy/dgdr"
	"headway/internal/fault"
)

// Arguments spells the arguments of `profile sla` as the grammar has them:
// --config is the deployment or the request there, --planner-X is an argument of the planner,
// and what --profile-config says comes first, so that the command line wins.
func Arguments(args []string, getenv func(string) string) ([]string, error) {
	if len(args) < 2 || args[0] != "profile" || args[1] != "sla" {
		return args, nil
	}
	own, profileConfig, err := rewrite(args[2:], getenv)
	if err != nil {
		return nil, err
	}
	if profileConfig == "" {
		return append(args[:2:2], own...), nil
	}
	defaults, err := readProfileConfig(profileConfig, getenv)
	if err != nil {
		return nil, fault.Usage(fault.New("%s: %w", fault.Field("profile-config"), err))
	}
	var first []string
	for _, d := range defaults {
		name, _, _ := strings.Cut(d, "=")
		given := func(arg string) bool {
			n, _, _ := strings.Cut(strings.ReplaceAll(arg, "_", "-"), "=")
			return n == name
		}
		if name == "--planner-arg" || !slices.ContainsFunc(own, given) {
			first = append(first, d)
		}
	}
	return slices.Concat(args[:2], first, own), nil
}

// rewrite goes over the arguments once. The value of --profile-config is
// returned beside them.
func rewrite(args []string, getenv func(string) string) (own []string, profileConfig string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(own, args[i:]...), profileConfig, nil
		}
		name, value, joined := strings.Cut(arg, "=")
		switch name = strings.ReplaceAll(name, "_", "-"); {
		case name == "--config":
			if !joined && i+1 < len(args) {
				i++
				joined, value = true, args[i]
			}
			own = append(own, configArgument(value, joined, getenv))
		case name == "--profile-config":
			if !joined {
				if i++; i == len(args) {
					return nil, "", fault.Usage(fault.New("%s: its value is missing", fault.Field("profile-config")))
				}
				value = args[i]
			}
			profileConfig = value
		case strings.HasPrefix(name, "--planner-") && name != "--planner-arg":
			if !joined && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
				joined, value = true, args[i]
			}
			own = append(own, plannerArgument(strings.TrimPrefix(name, "--planner-"), value, joined))
		default:
			own = append(own, arg)
		}
	}
	return own, profileConfig, nil
}

// configArgument is --config by the name of what its value holds: a request, or a
// deployment.
func configArgument(value string, has bool, getenv func(string) string) string {
	switch {
	case !has:
		return "--dgd-config"
	case holdsRequest(value, getenv):
		return "--dgdr=" + value
	}
	return "--dgd-config=" + value
}

// holdsRequest says that a value is a request, or names a file that holds one. One
// that cannot be read is for the deployment's reader to say.
func holdsRequest(value string, getenv func(string) string) bool {
	if value == "-" || dgdr.Inline(value) {
		return true
	}
	path, err := config.ExpandHome(value, getenv)
	if err != nil {
		return false
	}
	data, err := bound.ReadFile(path, bound.Document, "the configuration")
	return err == nil && dgdr.Holds(data)
}

// plannerArgument is an option of the planner as one of ours.
func plannerArgument(name, value string, has bool) string {
	if has {
		return "--planner-arg=--" + name + "=" + value
	}
	return "--planner-arg=--" + name
}

// profileKeys are the keys of Dynamo's profile configuration and the options
// that they stand for.
var profileKeys = map[string]string{
	"output_dir":                              "output-dir",
	"deployment.model":                        "model",
	"deployment.dgd_image":                    "dgd-image",
	"deployment.namespace":                    "namespace",
	"deployment.service_name":                 "service-name",
	"deployment.deployment_timeout":           "deployment-timeout",
	"deployment_ready_timeout_s":              "deployment-timeout",
	"deployment.model_cache.pvc_name":         "model-cache-pvc-name",
	"deployment.model_cache.pvc_path":         "model-cache-pvc-path",
	"deployment.model_cache.mount_path":       "model-cache-pvc-mount-path",
	"engine.backend":                          "backend",
	"engine.config":                           "dgd-config",
	"engine.max_context_length":               "max-context-length",
	"hardware.min_num_gpus_per_engine":        "min-num-gpus-per-engine",
	"hardware.max_num_gpus_per_engine":        "max-num-gpus-per-engine",
	"hardware.num_gpus_per_node":              "num-gpus-per-node",
	"hardware.enable_gpu_discovery":           "enable-gpu-discovery",
	"sla.isl":                                 "isl",
	"sla.osl":                                 "osl",
	"sla.ttft":                                "ttft",
	"sla.itl":                                 "itl",
	"sweep.prefill_interpolation_granularity": "prefill-interpolation-granularity",
	"sweep.decode_interpolation_granularity":  "decode-interpolation-granularity",
	"sweep.dry_run":                           "dry-run",
	"sweep.pick_with_webui":                   "pick-with-webui",
	"sweep.webui_port":                        "webui-port",
	"sweep.use_ai_configurator":               "use-ai-configurator",
	"sweep.aic_system":                        "aic-system",
	"sweep.aic_hf_id":                         "aic-hf-id",
	"sweep.aic_backend":                       "aic-backend",
	"sweep.aic_backend_version":               "aic-backend-version",
}

// readHere is a key that says what is read from the model's configuration here.
const readHere = "engine.is_moe_model"

// readProfileConfig reads YAML, JSON or a Python dict, or a file of one, and
// gives it as arguments. The error has every key that is not known.
func readProfileConfig(text string, getenv func(string) string) ([]string, error) {
	path, err := config.ExpandHome(text, getenv)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err == nil {
		settings, err := config.ReadSections(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return profileArguments(settings)
	}
	return parseProfileConfig(text)
}

// parseProfileConfig takes a Python dict for YAML, of which it is a flow
// mapping; its None is no value.
func parseProfileConfig(text string) ([]string, error) {
	settings, err := config.Sections([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("neither YAML, JSON, a Python dict nor a file: %w", err)
	}
	return profileArguments(settings)
}

// profileArguments are the arguments that the settings stand for.
func profileArguments(settings []config.Setting) ([]string, error) {
	var bad fault.List
	var args []string
	known := slices.Sorted(maps.Keys(profileKeys))
	slices.SortStableFunc(settings, func(a, b config.Setting) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range settings {
		text := s.Text + strings.Join(s.List, ",")
		full := snakeCase(s.Name)
		option := profileKeys[full]
		switch planner, isPlanner := strings.CutPrefix(strings.ReplaceAll(full, "_", "-"), "planner."); {
		case text == "None" || text == "" || full == readHere:
		case isPlanner && strings.Contains(planner, "."):
			bad.Add("line %d: %q: an argument of the planner is a value and no section", s.Line, full)
		case isPlanner:
			args = append(args, plannerArgument(strings.TrimPrefix(planner, "planner-"), text, true))
		case option == "":
			bad.Add("line %d: there is no key %q%s", s.Line, full, meant(full, known))
		default:
			args = append(args, "--"+option+"="+text)
		}
	}
	return args, bad.Usage()
}

var beforeCapital = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// snakeCase spells a key as profileKeys do: Dynamo takes minNumGpusPerEngine for
// min_num_gpus_per_engine.
func snakeCase(key string) string {
	return strings.ReplaceAll(strings.ToLower(beforeCapital.ReplaceAllString(key, "${1}_$2")), "-", "_")
}

// meant is the key that may have been meant.
func meant(name string, known []string) string {
	if near := config.Nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
