package dgd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Roles of services.
const (
	roleFrontend = "frontend"
	rolePrefill  = "prefill"
	roleDecode   = "decode"
	roleWorker   = "worker"
	rolePlanner  = "planner"
	// roleMain is what early releases called a frontend.
	roleMain = "main"
)

// service is one entry of spec.services (v1alpha1) or spec.components
// (v1beta1).
type service struct {
	name string
	// role is what its type says; a worker without a sub-type is roleWorker. typed
	// is that type as it is written.
	role, typed string
	// at leads to the entry, main to its main container, which need not be
	// there.
	at, main path
	beta     bool
}

// view lists the services of a deployment: by name in v1alpha1, in their order
// in v1beta1.
func (d *Document) view() ([]service, error) { return viewOf(d.objects[d.at]) }

func viewOf(object map[string]any) ([]service, error) {
	switch object["apiVersion"] {
	case V1Alpha1:
		services, ok := lookup(object, path{"spec", "services"})
		m, isMap := services.(map[string]any)
		if !ok || !isMap || len(m) == 0 {
			return nil, errors.New("spec.services is not a mapping of services")
		}
		return alphaView(m)
	case V1Beta1:
		components, ok := lookup(object, path{"spec", "components"})
		l, isList := components.([]any)
		if !ok || !isList || len(l) == 0 {
			return nil, errors.New("spec.components is not a list of components")
		}
		return betaView(object, l)
	}
	return nil, fmt.Errorf("apiVersion %v is not known: %s and %s are", object["apiVersion"], V1Alpha1, V1Beta1)
}

func alphaView(m map[string]any) ([]service, error) {
	var out []service
	for _, name := range keys(m) {
		fields, ok := m[name].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("spec.services.%s is not a mapping", name)
		}
		at := path{"spec", "services", name}
		role, _ := fields["subComponentType"].(string)
		if role == "" {
			role, _ = fields["componentType"].(string)
		}
		main := at.plus("extraPodSpec", "mainContainer")
		out = append(out, service{name: name, role: roleOf(role), typed: role, at: at, main: main})
	}
	return out, nil
}

func betaView(object map[string]any, l []any) ([]service, error) {
	var out []service
	for i := range l {
		fields, _ := l[i].(map[string]any)
		name, _ := fields["name"].(string)
		at := path{"spec", "components", i}
		if name == "" {
			return nil, fmt.Errorf("%s has no name", at)
		}
		if slices.ContainsFunc(out, func(s service) bool { return s.name == name }) {
			return nil, fmt.Errorf("two components have the name %q", name)
		}
		role, _ := fields["type"].(string)
		containers := at.plus("podTemplate", "spec", "containers")
		found, _ := lookup(object, containers)
		items, _ := found.([]any)
		main := slices.IndexFunc(items, func(v any) bool {
			c, _ := v.(map[string]any)
			return c["name"] == "main"
		})
		if main < 0 {
			main = len(items)
		}
		out = append(out, service{name: name, role: roleOf(role), typed: role, at: at, main: containers.plus(main),
			beta: true})
	}
	return out, nil
}

// roleOf is the role of a type.
func roleOf(typed string) string {
	if typed == roleMain {
		return roleFrontend
	}
	return typed
}

// defaultNames are what services are called where no type says what they are,
// newer names first.
func defaultNames(backend, role string) []string {
	prefix := map[string]string{VLLM: "Vllm", SGLang: "Sglang", TRTLLM: "TRTLLM"}[backend]
	switch role {
	case rolePrefill:
		return []string{"prefill", prefix + "PrefillWorker"}
	case roleDecode:
		return []string{"decode", prefix + "DecodeWorker"}
	case roleFrontend:
		return []string{"Frontend", "frontend", "Main", "main"}
	case rolePlanner:
		return []string{"Planner", "planner"}
	}
	return nil
}

// pick finds the one service of a role: by its type, else by name. The error
// says what to write where there is none, or more than one.
func pick(services []service, backend, role string) (service, error) {
	var typed, named []service
	names := defaultNames(backend, role)
	for _, s := range services {
		switch {
		case s.role == role:
			typed = append(typed, s)
		case slices.Contains(names, s.name) && (s.role == "" || s.role == roleWorker):
			named = append(named, s)
		}
	}
	found := typed
	if len(found) == 0 {
		found = named
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var all []string
	for _, s := range services {
		all = append(all, s.name)
	}
	field := "subComponentType"
	switch {
	case len(services) > 0 && services[0].beta:
		field = "type"
	case role == roleFrontend || role == rolePlanner:
		field = "componentType"
	}
	if len(found) == 0 {
		return service{}, fmt.Errorf("no service is the %s (there are %s): write %s: %s on the one that is, or "+
			"call it %s",
			role, strings.Join(all, ", "), field, role, strings.Join(names, " or "))
	}
	return service{}, fmt.Errorf("%d services are the %s (%s, %s): only one can be profiled", len(found), role,
		found[0].name, found[1].name)
}

// mainContainer is the path of the main container, which in v1beta1 is made
// where it is missing: it needs its name.
func (e *editor) mainContainer(s service) path {
	if !s.beta {
		return s.main
	}
	if _, ok := lookup(e.object, s.main); ok {
		return s.main
	}
	main := mapping(entry{"name", text("main")})
	if containers := s.main[:len(s.main)-1]; s.main[len(s.main)-1] == 0 {
		e.put(containers, list(main))
	} else {
		e.put(s.main, main)
	}
	return s.main
}

// string is the text at a path at a path; "" when it is not there or no text.
func (e *editor) string(at path) string {
	v, _ := lookup(e.object, at)
	s, _ := v.(string)
	return s
}

// stringsAt are the items of a list as text: numbers as they would be printed,
// since Kubernetes takes arguments as text only.
func stringsAt(object map[string]any, at path) ([]string, error) {
	v, ok := lookup(object, at)
	if !ok || v == nil {
		return nil, nil
	}
	l, isList := v.([]any)
	if !isList {
		return nil, fmt.Errorf("%s is not a list", at)
	}
	var out []string
	for i, item := range l {
		switch item.(type) {
		case string, int64, float64, bool:
			out = append(out, fmt.Sprint(item))
		default:
			return nil, fmt.Errorf("%s[%d] is not text", at, i)
		}
	}
	return out, nil
}
