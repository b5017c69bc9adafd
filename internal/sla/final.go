package sla

import (
	"fmt"
	"strings"

	"headway/internal/deploy/dgd"
	"headway/internal/deploy/dgdr"
)

// Requested is the request that a search answers.
type Requested struct {
	*dgdr.Request
	// Document is the deployment without what the request merges onto it in the end.
	Document *dgd.Document
}

// longest is how many characters the names of a deployment and of a service of it
// may have together, since pods are called by both.
const longest = 45

// final writes the deployment that answers the request, as Dynamo's profiler does.
func (s *Search) final(sel dgd.Selection) error {
	if s.Requested == nil {
		return nil
	}
	doc, err := s.answer(sel)
	if err != nil {
		return s.unwritten(err)
	}
	backend := s.Served.Backend
	if s.Requested.Mocker {
		backend = "" // no worker of it runs the engine
	}
	doc, ignored, err := finished(doc, backend, s.Requested.Final)
	if err != nil {
		return s.unwritten(err)
	}
	for _, text := range ignored {
		s.Warn("warning: overrides.dgd: left out: %s", text)
	}
	if err := checkNames(doc); err != nil {
		return s.unwritten(err)
	}
	return s.configuration(dgdr.FinalName, "the deployment that answers the request", doc)
}

// answer is the deployment before the request's own changes: mock engines, a
// deployment with a planner, or the recommended pools alone.
func (s *Search) answer(sel dgd.Selection) (*dgd.Document, error) {
	doc, backend := s.Requested.Document, s.Served.Backend
	switch {
	case s.Requested.Mocker && s.Requested.Planner:
		return doc.Mocker(backend, sel)
	case s.Requested.Mocker:
		return doc.MockEngines(backend, sel)
	case s.Requested.Planner:
		return s.plannerImage(doc.Final(backend, sel))
	}
	return s.pools(doc, sel)
}

// plannerImage gives the planner the image that follows from the request's.
func (s *Search) plannerImage(doc *dgd.Document, err error) (*dgd.Document, error) {
	if err != nil || s.Requested.PlannerImage == "" {
		return doc, err
	}
	return doc.WithPlannerImage(s.Served.Backend, s.Requested.PlannerImage)
}

// pools is the recommended deployment; without one, a worker of each that was
// picked.
func (s *Search) pools(doc *dgd.Document, sel dgd.Selection) (*dgd.Document, error) {
	if d := s.recommended(); d != nil {
		f, err := s.fleet(d)
		if err != nil {
			return nil, err
		}
		return doc.Fleet(s.Served.Backend, f)
	}
	doc, err := doc.Disaggregated(s.Served.Backend, sel)
	if err != nil {
		return nil, err
	}
	return doc.WithReplicas(s.Served.Backend, 1, 1)
}

// finished makes the request's changes to a deployment, in the order of Dynamo's
// profiler: what is generated, the override, tolerations and trust. ignored has a
// text on each part of the override that is left out.
func finished(doc *dgd.Document, backend string, f dgdr.Final) (next *dgd.Document, ignored []string, err error) {
	step := func(wanted bool, change func() (*dgd.Document, error)) {
		if err == nil && wanted {
			doc, err = change()
		}
	}
	step(f.KVRouter, func() (*dgd.Document, error) { return doc.WithKVRouter(backend) })
	step(f.RuntimeVersion != "", func() (*dgd.Document, error) { return doc.WithRuntimeVersion(f.RuntimeVersion) })
	step(f.Identity() != nil, func() (*dgd.Document, error) {
		doc, _, err := doc.Overlay(f.Identity())
		return doc, err
	})
	step(f.Override != nil, func() (d *dgd.Document, err error) {
		d, ignored, err = doc.Overlay(f.Override)
		return d, err
	})
	step(len(f.Tolerations) > 0, func() (*dgd.Document, error) { return doc.WithTolerations(f.Tolerations) })
	step(f.TrustRemoteCode, func() (*dgd.Document, error) { return doc.WithTrust(backend) })
	return doc, ignored, err
}

// checkNames refuses a deployment of whose services Kubernetes could not name the
// pods.
func checkNames(doc *dgd.Document) error {
	var long []string
	for _, name := range doc.Services() {
		if len(doc.Name())+len(name) > longest {
			long = append(long, name)
		}
	}
	if long == nil {
		return nil
	}
	return fmt.Errorf("the name of the deployment %q and that of %s have more than %d characters together, and "+
		"pods are called by both: give a shorter one as overrides.dgd.metadata.name", doc.Name(),
		strings.Join(long, ", "), longest)
}
