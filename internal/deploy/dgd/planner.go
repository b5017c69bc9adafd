package dgd

import (
	"errors"
	"fmt"
	"slices"

	"headway/internal/deploy/release"
)

// withPlanner adds the planner of a backend, and the ConfigMap before the
// deployment.
func (d *Document) withPlanner(backend string, s Selection) (*Document, error) {
	if s.hasData() != (len(s.DecodeData) > 0) {
		return nil, errors.New("there is profile data for only one of prefill and decode")
	}
	next, err := d.edited(func(e *editor) error { return e.planner(backend, s) })
	if err != nil || !s.hasData() {
		return next, err
	}
	data, err := s.dataMap(d.Namespace())
	if err != nil {
		return nil, err
	}
	return next.prepend(data)
}

// prepend puts an object before all others, in the place of one of its kind and
// name.
func (d *Document) prepend(part string) (*Document, error) {
	object, err := decodeObject(part)
	if err != nil {
		return nil, fmt.Errorf("writing a ConfigMap: %w", err)
	}
	next := *d
	parts, objects := []string{part}, []map[string]any{object}
	name, _ := lookup(object, path{"metadata", "name"})
	for i, p := range d.parts {
		o := d.objects[i]
		old, _ := lookup(o, path{"metadata", "name"})
		if i != d.at && o != nil && o["kind"] == object["kind"] && old == name {
			continue
		}
		if i == d.at {
			next.at = len(parts)
		}
		parts, objects = append(parts, p), append(objects, o)
	}
	next.parts, next.objects = join(parts), objects
	return &next, nil
}

// planner adds the service, or changes the settings of the one that is there.
func (e *editor) planner(backend string, s Selection) error {
	services, err := viewOf(e.object)
	if err != nil {
		return err
	}
	front, err := pick(services, backend, roleFrontend)
	if err != nil {
		return err
	}
	for _, role := range []string{rolePrefill, roleDecode} {
		worker, err := pick(services, backend, role)
		if err != nil {
			return err
		}
		e.scaled(worker, s.Release)
	}
	at, err := e.plannerService(services, front, s.Release)
	if err != nil {
		return err
	}
	if err := e.plannerSettings(at, s.Release, s.settings(backend)); err != nil {
		return err
	}
	if s.hasData() {
		e.mountData(at, s.configMap())
	}
	return e.err
}

// plannerService is the planner that is there, or a new one. One that runs in the
// frontend's image gets the planner's.
func (e *editor) plannerService(services []service, front service, r release.Release) (service, error) {
	image := e.string(front.main.plus("image"))
	i := slices.IndexFunc(services, isPlanner)
	if i < 0 {
		return e.newPlanner(front, len(services), r)
	}
	own := services[i].main.plus("image")
	if now := r.PlannerImage(image); now != image && e.string(own) == image {
		e.put(own, text(now))
	}
	return services[i], e.err
}

// isPlanner says that a service plans how many workers there are.
func isPlanner(s service) bool { return s.role == rolePlanner || s.role == "" && s.name == "Planner" }

// scaled marks a worker whose number the planner sets, where the release has it so.
func (e *editor) scaled(s service, r release.Release) {
	at := s.at.plus("scalingAdapter")
	switch _, there := lookup(e.object, at); {
	case !r.ScalingAdapter():
	case !s.beta:
		if on, _ := lookup(e.object, at.plus("enabled")); on != true {
			e.put(at.plus("enabled"), truth(true))
		}
	case !there:
		e.put(at, mapping())
	}
}

// newPlanner adds a planner with the image that goes with the frontend's.
func (e *editor) newPlanner(front service, index int, r release.Release) (service, error) {
	container := mapping(entry{"command", texts(startOf(r))})
	if image := r.PlannerImage(e.string(front.main.plus("image"))); image != "" {
		container.Content = append([]node{text("image"), text(image)}, container.Content...)
	}
	if front.beta {
		container.Content = append([]node{text("name"), text("main")}, container.Content...)
		e.put(path{"spec", "components", index}, mapping(
			entry{"name", text("Planner")},
			entry{"type", text(rolePlanner)},
			entry{"replicas", number(1)},
			entry{"podTemplate", mapping(entry{"spec", mapping(entry{"containers", list(container)})})},
		))
	} else {
		fields := []entry{
			{"componentType", text(rolePlanner)},
			{"replicas", number(1)},
			{"extraPodSpec", mapping(entry{"mainContainer", container})},
		}
		if ns := e.string(front.at.plus("dynamoNamespace")); ns != "" {
			fields = append([]entry{{"dynamoNamespace", text(ns)}}, fields...)
		}
		e.put(path{"spec", "services", "Planner"}, mapping(fields...))
	}
	s, ok := e.service("Planner")
	if !ok {
		return service{}, fmt.Errorf("adding the planner: %w", e.err)
	}
	return s, nil
}

// startOf is the command of a release's planner.
func startOf(r release.Release) []string { return []string{"python3", "-m", r.Planner().Module} }

// mountData mounts the ConfigMap with the profile data, read-only.
func (e *editor) mountData(s service, configMap string) {
	pod := s.at.plus("extraPodSpec")
	if s.beta {
		pod = s.at.plus("podTemplate", "spec")
	}
	e.addNamed(pod.plus("volumes"), configMap, entry{"configMap", mapping(entry{"name", text(configMap)})})
	e.addNamed(s.main.plus("volumeMounts"), configMap,
		entry{"mountPath", text(ProfileMount)}, entry{"readOnly", truth(true)})
}
