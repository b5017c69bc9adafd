package dgd

import "fmt"

// mockEngines is the backend of a planner that scales them.
const mockEngines = "mocker"

// Mocker is the same selection on mock engines, to try a planner without GPUs:
// a deployment of its own with the image that the release's mock engines run in,
// whose workers replay the profile data, and a planner of its own with the settings of
// [Document.Final] and the backend mocker. The data is mounted into workers and planner.
func (d *Document) Mocker(backend string, s Selection) (*Document, error) {
	fail := func(err error) (*Document, error) {
		return nil, fmt.Errorf("configuring mock engines for the %s %q: %w", Kind, d.Name(), err)
	}
	f, err := d.Facts(backend)
	if err != nil {
		return fail(err)
	}
	next, err := readDefault(mockEngines)
	if err != nil {
		return fail(err)
	}
	if image := s.Release.MockerImage(f.Image); image != "" {
		if next, err = next.WithImage(image); err != nil {
			return fail(err)
		}
	}
	if next, _, err = next.WrittenFor(s.Release); err != nil {
		return fail(err)
	}
	next, err = next.edited(func(e *editor) error {
		if ns := d.Namespace(); ns != "" {
			e.put(path{"metadata", "namespace"}, text(ns))
		}
		for _, role := range []string{rolePrefill, roleDecode} {
			if err := e.mock(role, f, s); err != nil {
				return err
			}
		}
		return e.err
	})
	if err != nil {
		return fail(err)
	}
	s.served = f.Served
	if next, err = next.withPlanner(mockEngines, s); err != nil {
		return fail(err)
	}
	return next, nil
}

// mock lets one worker serve the model at the pace of the profile data.
func (e *editor) mock(role string, f Facts, s Selection) error {
	worker, ok := e.service(role)
	if !ok {
		return fmt.Errorf("there is no service %s", role)
	}
	c, err := readCommandLine(e.object, worker.main)
	if err != nil {
		return err
	}
	c.set(f.Model, "--model-path")
	c.set(f.Served, "--model-name")
	if s.hasData() {
		c.set(ProfileMount, "--planner-profile-data")
		e.mountData(worker, s.configMap())
	}
	e.write(worker.main, c)
	return e.err
}
