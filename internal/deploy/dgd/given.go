package dgd

import (
	"errors"
	"fmt"
	"strings"
)

// WithImage gives every service's main container another image.
func (d *Document) WithImage(image string) (*Document, error) {
	if image == "" || strings.ContainsAny(image, " \t\n") {
		return nil, fmt.Errorf("setting the image %q: it is no image's name", image)
	}
	return d.edited(func(e *editor) error {
		services, err := viewOf(e.object)
		for _, s := range services {
			e.put(e.mainContainer(s).plus("image"), text(image))
		}
		return err
	})
}

// Model says which model a deployment serves.
type Model struct {
	// Path is what the engine loads: a name on the hub, or a folder in the
	// container. Served is the name under which it answers; empty is Path.
	Path, Served string
	// PVC is a volume claim that holds the model, Mount where it is mounted,
	// and Folder where the model is within; the engine then loads
	// Mount/Folder, and Path is only the name. All empty without one.
	PVC, Mount, Folder string
}

// folder is what the engine loads. A folder that already begins with the mount
// is not put below it again.
func (m Model) folder() string {
	if m.PVC == "" {
		return m.Path
	}
	mount := "/" + strings.Trim(m.Mount, "/")
	inner := strings.Trim(m.Folder, "/")
	if below, ok := strings.CutPrefix("/"+inner+"/", mount+"/"); ok {
		inner = strings.Trim(below, "/")
	}
	return strings.TrimSuffix(mount+"/"+inner, "/")
}

func (m Model) check() error {
	var faults []error
	if m.Path == "" {
		faults = append(faults, errors.New("the model's name is empty"))
	}
	if m.PVC != "" && !strings.HasPrefix(m.Mount, "/") {
		faults = append(faults, fmt.Errorf("the mount path %q of claim %s does not begin with /", m.Mount, m.PVC))
	}
	if m.PVC == "" && (m.Mount != "" || m.Folder != "") {
		faults = append(faults, errors.New("a path in a volume claim, but no claim"))
	}
	return errors.Join(faults...)
}

// WithModel lets the workers load a model, and with a volume claim mounts it
// into the workers and the frontend, which then is told where it is.
func (d *Document) WithModel(backend string, m Model) (*Document, error) {
	fail := func(err error) (*Document, error) {
		return nil, fmt.Errorf("setting the model %q: %w", m.Path, err)
	}
	eng, err := engineOf(backend)
	if err != nil {
		return fail(err)
	}
	if err := m.check(); err != nil {
		return fail(err)
	}
	next, err := d.edited(func(e *editor) error {
		services, err := viewOf(e.object)
		if err != nil {
			return err
		}
		if m.PVC != "" && !services[0].beta {
			e.claim(m.PVC)
		}
		for _, s := range services {
			if err := e.modelOfService(backend, eng, s, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	return next, nil
}

// modelOfService sets the model of one service, if it is a worker of the
// backend or the frontend.
func (e *editor) modelOfService(backend string, eng engine, s service, m Model) error {
	c, err := readCommandLine(e.object, s.main)
	if err != nil {
		return err
	}
	served := m.Served
	if served == "" {
		served = m.Path
	}
	front := s.role == roleFrontend
	switch {
	case runs(c.module) == backend:
		c.set(m.folder(), eng.modelFlag())
		if c.has("--served-model-name") || served != m.folder() {
			c.set(served, "--served-model-name")
		}
	case front && m.PVC != "":
		if len(c.items) == 0 {
			e.put(e.mainContainer(s).plus("command"), texts([]string{"python3", "-m", "dynamo.frontend"}))
			if c, err = readCommandLine(e.object, s.main); err != nil {
				return err
			}
		}
		c.set(served, "--model-name")
		c.set(m.folder(), "--model-path")
	default:
		return nil
	}
	e.write(s.main, c)
	if m.PVC != "" {
		e.mount(s, m.PVC, m.Mount)
	}
	return e.err
}

// mount mounts a volume claim into a service.
func (e *editor) mount(s service, claim, at string) {
	if !s.beta {
		e.addNamed(s.at.plus("volumeMounts"), claim, entry{"mountPoint", text(at)})
		return
	}
	source := mapping(entry{"claimName", text(claim)})
	e.addNamed(s.at.plus("podTemplate", "spec", "volumes"), claim, entry{"persistentVolumeClaim", source})
	e.addNamed(s.main.plus("volumeMounts"), claim, entry{"mountPath", text(at)})
}

// claim names a volume claim that is there already; one that the deployment
// names, perhaps to be made, stays as it is.
func (e *editor) claim(name string) {
	at := path{"spec", "pvcs"}
	found, _ := lookup(e.object, at)
	items, _ := found.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok && m["name"] == name {
			return
		}
	}
	e.addNamed(at, name, entry{"create", truth(false)})
}

// addNamed adds an item with a name to a list, in the place of one that has it.
func (e *editor) addNamed(at path, name string, more ...entry) {
	found, _ := lookup(e.object, at)
	items, _ := found.([]any)
	for i, item := range items {
		if m, ok := item.(map[string]any); ok && m["name"] == name {
			for _, inner := range more {
				e.put(at.plus(i, inner.key), inner.value)
			}
			return
		}
	}
	value := mapping(append([]entry{{"name", text(name)}}, more...)...)
	if len(items) == 0 {
		e.put(at, list(value))
		return
	}
	e.put(at.plus(len(items)), value)
}
