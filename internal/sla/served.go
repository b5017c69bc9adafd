package sla

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"headway/internal/bound"
	"headway/internal/deploy/dgd"
	"headway/internal/deploy/release"
	"headway/internal/fault"
	"headway/internal/hub"
	"headway/internal/model"
	"headway/internal/settings"
	"headway/workload"
)

// Source says what is to be deployed.
type Source struct {
	// Backend is one of dgd.Backends.
	Backend string
	// Manifest is a file with a DynamoGraphDeployment, or where Text is given what
	// that is called; "" is the backend's own.
	Manifest string
	Text     []byte
	// Model replaces the manifest's where its Path is given: a known model, a
	// folder with a config.json, or a name on the hub.
	Model dgd.Model
	// ModelConfig is the model's config.json, or its folder, where Model is only
	// its name.
	ModelConfig string
	// Image, where given, is that of every service.
	Image string
	// Version is the release of Dynamo to write for; "" is that of the images, else
	// the default.
	Version string
}

// Served is what is deployed.
type Served struct {
	Backend string
	// Document has the model and the image, before any mapping, and is written for the
	// release.
	Document *dgd.Document
	Release  release.Release
	// Notes say what of the manifest had to be written in other words, what the release
	// does not take, and which images say another release.
	Notes []string
	// Model is what is loaded, Name what it is called where it is served.
	Model, Name string
}

// Read reads the manifest, or takes the backend's, with the model and the image.
func (o Source) Read() (s Served, err error) {
	s = Served{Backend: o.Backend, Model: o.Model.Path}
	if s.Document, err = o.document(); err != nil {
		return s, err
	}
	if o.Model.Path != "" {
		if s.Document, err = s.Document.WithModel(o.Backend, o.Model); err != nil {
			return s, err
		}
	}
	facts, err := s.Document.Facts(o.Backend)
	if err != nil {
		return s, fault.New("%s: %w", fault.Field("config"), err)
	}
	if s.Name = facts.Served; s.Name == "" {
		s.Name = facts.Model
	}
	if s.Model == "" {
		s.Model = facts.Model
	}
	if o.Image != "" {
		if s.Document, err = s.Document.WithImage(o.Image); err != nil {
			return s, err
		}
	}
	return s, o.write(&s)
}

// write finds out which release is meant, and writes the deployment for it.
func (o Source) write(s *Served) (err error) {
	versions := s.Document.Versions()
	if s.Release, err = o.release(versions); err != nil {
		return err
	}
	doc, notes, err := s.Document.WrittenFor(s.Release)
	if err != nil {
		return fault.New("%s: %w", fault.Field("config"), err)
	}
	if s.Document = doc; o.Manifest != "" {
		s.Notes = notes
	}
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		if r, err := release.Find(versions[name]); err != nil || r != s.Release {
			s.Notes = append(s.Notes, fmt.Sprintf("service %s has an image of Dynamo %s, and the deployment is "+
				"written for %s", name, versions[name], s.Release))
		}
	}
	return nil
}

// release is the one that is asked for, or the one that all images say.
func (o Source) release(versions map[string]string) (release.Release, error) {
	const field = fault.Field("dynamo-version")
	if o.Version != "" {
		r, err := release.Find(o.Version)
		if err != nil {
			err = fault.New("%s: %w", field, err)
		}
		return r, err
	}
	found := release.Default()
	for i, name := range slices.Sorted(maps.Keys(versions)) {
		r, err := release.Find(versions[name])
		switch {
		case err != nil:
			return r, fault.New("the image of service %s: %w; give the nearest as %s", name, err, field)
		case i > 0 && r != found:
			return r, fault.New("the images are of several releases of Dynamo (%s): give the one to write for as %s",
				versionsText(versions), field)
		}
		found = r
	}
	return found, nil
}

func versionsText(versions map[string]string) string {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		each = append(each, name+" "+versions[name])
	}
	return strings.Join(each, ", ")
}

func (o Source) document() (*dgd.Document, error) {
	const manifest = fault.Field("config")
	if o.Manifest == "" {
		doc, err := dgd.Default(o.Backend)
		if err == nil && o.Model.Path == "" {
			err = fault.New("%s: name a model, or give a DynamoGraphDeployment that serves one with %s",
				fault.Field("model"), manifest)
		}
		return doc, err
	}
	data, err := o.text()
	if err != nil {
		return nil, fault.New("%s: reading the deployment: %w", manifest, err)
	}
	doc, err := dgd.Read(data)
	if err != nil {
		return nil, fault.New("%s %s: %w", manifest, o.Manifest, err)
	}
	if err := doc.Check(o.Backend); err != nil {
		return nil, fault.New("%s %s: %w", manifest, o.Manifest, err)
	}
	return doc, nil
}

func (o Source) text() ([]byte, error) {
	if o.Text != nil {
		return o.Text, nil
	}
	return bound.ReadFile(o.Manifest, bound.Document, "the manifest")
}

// Find finds what is known of a model: inside, in a folder, or on the hub. A name
// that is empty has no facts.
func (o Source) Find(ctx context.Context, on hub.Options, name string) (model.Model, error) {
	switch {
	case o.ModelConfig != "":
		return model.ReadFile(o.ModelConfig)
	case name == "":
		return model.Model{}, nil
	}
	if m, err := model.Lookup(name); err == nil {
		return m, nil
	}
	path := name
	if _, err := os.Stat(name); err != nil {
		if path, err = hub.File(ctx, on, name, "config.json"); err != nil {
			return model.Model{}, fault.New("%s %s: it is not one of the known models, and no folder: %w; %s gives "+
				"its config.json",
				fault.Field("model"), name, err, fault.Field("model-config"))
		}
	}
	m, err := model.ReadFile(path)
	m.Name = name
	return m, err
}

// With adds to what two calls must have in common what the model and the GPU
// turned out to be.
func With(set settings.Settings, m model.Model, g model.GPU) error {
	m.Assumed = nil
	facts, err := json.Marshal(struct {
		Model model.Model
		GPU   model.GPU
	}{m, g})
	set["model and gpu"] = fmt.Sprintf("%x", uint64(workload.Seed(0).Named(string(facts))))
	return err
}
