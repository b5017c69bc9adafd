package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// slaArguments spells the arguments of `profile sla` as the grammar has them:
// --config is the deployment there, --planner-X is an argument of the planner,
// and what --profile-config says comes first, so that the command line wins.
func slaArguments(args []string) ([]string, error) {
	if len(args) < 2 || args[0] != "profile" || args[1] != "sla" {
		return args, nil
	}
	own, profileConfig, err := slaRewrite(args[2:])
	if err != nil {
		return nil, err
	}
	if profileConfig == "" {
		return append(args[:2:2], own...), nil
	}
	defaults, err := readProfileConfig(profileConfig)
	if err != nil {
		return nil, usageError{fmt.Errorf("--profile-config: %w", err)}
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

// slaRewrite goes over the arguments once. The value of --profile-config is
// returned beside them.
func slaRewrite(args []string) (own []string, profileConfig string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(own, args[i:]...), profileConfig, nil
		}
		name, value, joined := strings.Cut(arg, "=")
		switch name = strings.ReplaceAll(name, "_", "-"); {
		case name == "--config":
			if joined {
				own = append(own, "--dgd-config="+value)
			} else {
				own = append(own, "--dgd-config")
			}
		case name == "--profile-config":
			if !joined {
				if i++; i == len(args) {
					return nil, "", usageError{fmt.Errorf("--profile-config: its value is missing")}
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
	"output_dir":       "output-dir",
	"deployment.model": "model", "deployment.dgd_image": "dgd-image", "deployment.namespace": "namespace", "deployment.service_name": "service-name",
	"engine.backend": "backend", "engine.config": "dgd-config", "engine.max_context_length": "max-context-length",
	"hardware.min_num_gpus_per_engine": "min-num-gpus-per-engine", "hardware.max_num_gpus_per_engine": "max-num-gpus-per-engine",
	"hardware.num_gpus_per_node": "num-gpus-per-node", "hardware.enable_gpu_discovery": "enable-gpu-discovery",
	"sla.isl": "isl", "sla.osl": "osl", "sla.ttft": "ttft", "sla.itl": "itl",
	"sweep.prefill_interpolation_granularity": "prefill-interpolation-granularity",
	"sweep.decode_interpolation_granularity":  "decode-interpolation-granularity",
	"sweep.dry_run":                           "dry-run", "sweep.pick_with_webui": "pick-with-webui", "sweep.webui_port": "webui-port",
	"sweep.use_ai_configurator": "use-ai-configurator", "sweep.aic_system": "aic-system", "sweep.aic_hf_id": "aic-hf-id",
	"sweep.aic_backend": "aic-backend", "sweep.aic_backend_version": "aic-backend-version",
}

// readProfileConfig reads YAML, JSON or a Python dict, or a file of one, and
// gives it as arguments. The error has every key that is not known.
func readProfileConfig(text string) ([]string, error) {
	if _, err := os.Stat(text); err == nil {
		data, err := os.ReadFile(text)
		if err != nil {
			return nil, err
		}
		text = string(data)
	}
	return parseProfileConfig(text)
}

// parseProfileConfig takes a Python dict for YAML, of which it is a flow
// mapping; its None is no value.
func parseProfileConfig(text string) ([]string, error) {
	var all map[string]any
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("neither YAML, JSON, a Python dict nor a file: %w", err)
	}
	var bad faultList
	var args []string
	take := func(section, key string, v any) {
		text := fmt.Sprint(v)
		full := strings.TrimPrefix(section+"."+strings.ReplaceAll(key, "-", "_"), ".")
		switch option, known := profileKeys[full]; {
		case v == nil || text == "None" || text == "":
		case section == "planner":
			args = append(args, plannerArgument(strings.ReplaceAll(strings.TrimPrefix(key, "planner_"), "_", "-"), text, true))
		case !known:
			bad.add("there is no key %q%s", full, strings.Replace(nearest(full, slices.Sorted(maps.Keys(profileKeys))), "--", "", 1))
		default:
			args = append(args, "--"+option+"="+text)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		section, nested := all[key].(map[string]any)
		if !nested {
			take("", key, all[key])
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(section)) {
			take(key, name, section[name])
		}
	}
	return args, bad.err()
}
