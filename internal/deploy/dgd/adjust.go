package dgd

import (
	"fmt"
	"reflect"
	"slices"
)

// each edits every service.
func (d *Document) each(change func(e *editor, s service) error) (*Document, error) {
	return d.edited(func(e *editor) error {
		services, err := viewOf(e.object)
		if err != nil {
			return err
		}
		for _, s := range services {
			if err := change(e, s); err != nil {
				return fmt.Errorf("the service %s of the %s %q: %w", s.name, Kind, d.Name(), err)
			}
		}
		return nil
	})
}

// WithRuntimeVersion tells the operator of which release every service is.
func (d *Document) WithRuntimeVersion(version string) (*Document, error) {
	return d.each(func(e *editor, s service) error {
		e.put(s.at.plus("runtimeVersionOverride"), text(version))
		return nil
	})
}

// WithTolerations adds tolerations to the pods of every service. Those that are
// there stay.
func (d *Document) WithTolerations(tolerations []any) (*Document, error) {
	return d.each(func(e *editor, s service) error {
		at := s.at.plus("extraPodSpec", "tolerations")
		if s.beta {
			at = s.at.plus("podTemplate", "spec", "tolerations")
		}
		old, _ := lookup(e.object, at)
		have, _ := old.([]any)
		all := slices.Clone(have)
		for _, t := range tolerations {
			if !slices.ContainsFunc(all, func(x any) bool { return reflect.DeepEqual(x, t) }) {
				all = append(all, t)
			}
		}
		if len(all) == len(have) {
			return nil
		}
		n, err := nodeOf(all)
		if err == nil {
			e.put(at, n)
		}
		return err
	})
}

// WithKVRouter makes the frontend route by what is in the workers' caches, unless a
// flag of its command line says otherwise.
func (d *Document) WithKVRouter(backend string) (*Document, error) {
	services, err := d.view()
	if err != nil {
		return nil, err
	}
	front, err := pick(services, backend, roleFrontend)
	if err != nil {
		return nil, fmt.Errorf("setting the mode of the router: %w", err)
	}
	return d.edited(func(e *editor) error {
		e.addNamed(e.mainContainer(front).plus("env"), "DYN_ROUTER_MODE", entry{"value", text("kv")})
		return nil
	})
}

// WithTrust lets the workers of vLLM and SGLang run code that the model's
// repository holds. Other engines have no such flag.
func (d *Document) WithTrust(backend string) (*Document, error) {
	const flag = "--trust-remote-code"
	return d.each(func(e *editor, s service) error {
		c, err := readCommandLine(e.object, s.main)
		if err != nil || backend == TRTLLM || runs(c.module) != backend || c.has(flag) {
			return err
		}
		c.add(flag)
		e.write(s.main, c)
		return nil
	})
}

// WithPlannerImage gives the planner an image of its own.
func (d *Document) WithPlannerImage(backend, image string) (*Document, error) {
	services, err := d.view()
	if err != nil {
		return nil, err
	}
	planner, err := pick(services, backend, rolePlanner)
	if err != nil {
		return nil, fmt.Errorf("setting the image of the planner: %w", err)
	}
	return d.edited(func(e *editor) error {
		e.put(e.mainContainer(planner).plus("image"), text(image))
		return nil
	})
}

// MockEngines is [Document.Mocker] without the planner: mock engines that answer at
// the pace of the profile.
func (d *Document) MockEngines(backend string, s Selection) (*Document, error) {
	next, err := d.Mocker(backend, s)
	if err != nil {
		return nil, err
	}
	services, err := next.view()
	if err != nil {
		return nil, err
	}
	planner, err := pick(services, backend, rolePlanner)
	if err != nil {
		return nil, fmt.Errorf("taking the planner out: %w", err)
	}
	return next.edited(func(e *editor) error {
		e.remove(planner.at)
		return nil
	})
}

// Services are the names of all services.
func (d *Document) Services() (names []string) {
	services, _ := d.view() // a document is read only where it has them
	for _, s := range services {
		names = append(names, s.name)
	}
	return names
}

// WithNamespace puts the deployment into a namespace, and what is made beside it
// afterwards.
func (d *Document) WithNamespace(namespace string) (*Document, error) {
	return d.edited(func(e *editor) error {
		e.put(path{"metadata", "namespace"}, text(namespace))
		return nil
	})
}

// WithReplicas says how many prefill and decode workers there are.
func (d *Document) WithReplicas(backend string, prefill, decode int) (*Document, error) {
	return d.edited(func(e *editor) error {
		services, err := viewOf(e.object)
		if err != nil {
			return err
		}
		for _, pool := range []struct {
			role string
			size int
		}{{rolePrefill, prefill}, {roleDecode, decode}} {
			s, err := pick(services, backend, pool.role)
			if err != nil {
				return err
			}
			e.setReplicas(s, pool.size)
		}
		return nil
	})
}
