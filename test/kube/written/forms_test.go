package written

import (
	"fmt"
	"strings"
)

// form is how a deployment that a search is given may be written; without a version
// none is given.
type form struct {
	version    string
	aggregated bool
}

func forms() []form {
	return []form{{}, {"v1alpha1", false}, {"v1alpha1", true}, {"v1beta1", false}, {"v1beta1", true}}
}

func (f form) name() string {
	switch {
	case f.version == "":
		return "default"
	case f.aggregated:
		return f.version + " aggregated"
	}
	return f.version + " disaggregated"
}

// text is the deployment for a backend.
func (f form) text(backend string) []byte {
	var b strings.Builder
	name := "disagg"
	if f.aggregated {
		name = "agg"
	}
	fmt.Fprintf(&b, "apiVersion: nvidia.com/%s\nkind: DynamoGraphDeployment\nmetadata: {name: mine-%s}\nspec:\n",
		f.version, name)
	roles := []string{"prefill", "decode"}
	if f.aggregated {
		roles = []string{"worker"}
	}
	if f.version == "v1alpha1" {
		fmt.Fprint(&b, "  services:\n    Frontend: {componentType: frontend, replicas: 1, extraPodSpec: {mainContainer: "+
			"{image: registry.example/img:1}}}\n")
	} else {
		fmt.Fprint(&b, "  components:\n    - {name: Frontend, type: frontend, replicas: 1}\n")
	}
	for _, role := range roles {
		if f.version == "v1alpha1" {
			fmt.Fprintf(&b, "    %s: {%s, replicas: 1, resources: {limits: {gpu: \"1\"}}, "+
				"extraPodSpec: {mainContainer: {%s}}}\n", role, alphaType(role), container(backend, role))
		} else {
			fmt.Fprintf(&b, "    - {name: %s, type: %s, replicas: 1, podTemplate: {spec: {containers: [{name: main, "+
				"%s, resources: {limits: {nvidia.com/gpu: \"1\"}}}]}}}\n", role, role, container(backend, role))
		}
	}
	return []byte(b.String())
}

func alphaType(role string) string {
	if role == "worker" {
		return "componentType: worker"
	}
	return "componentType: worker, subComponentType: " + role
}

// container is what a worker runs.
func container(backend, role string) string {
	flag, mode := "--model-path", ""
	if backend == "vllm" {
		flag = "--model"
	}
	if role != "worker" {
		mode = ", --disaggregation-mode, " + role
	}
	return fmt.Sprintf("image: registry.example/img:1, command: [python3, -m, dynamo.%s], args: [%s, Qwen/Qwen3-32B%s]",
		backend, flag, mode)
}
