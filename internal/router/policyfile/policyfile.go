// Package policyfile reads the file of Dynamo's --router-policy-config (YAML, as
// of release 1.6) into the configuration of a simulated router: queues of
// several classes, the weights of the cost, and what the router keeps track of.
//
// It refuses by name what a simulated router cannot do, so that no figure is one
// of another policy: worker-selection policies other than the built-in one,
// classifiers, profiles of single models, limits of a queue's length, caches
// beyond the workers' own, and keys that release 1.6 does not have. Settings of
// the router's process (threads, hashes, servers for others) are taken, since
// they change no decision.
package policyfile

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/router"
)

// File is a policy file.
type File struct {
	text    document
	profile *router.Profile
}

// Read reads a policy file. The error names the file and every fault in it.
func Read(path string) (*File, error) {
	data, err := bound.ReadFile(path, bound.Document, "the router policy")
	if err != nil {
		return nil, err
	}
	f, err := Parse(data)
	if err != nil {
		return nil, fault.New("router policy %s: %w", path, err)
	}
	return f, nil
}

// Parse reads the text of a policy file.
func Parse(text []byte) (*File, error) {
	f := &File{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f.text); err != nil && !errors.Is(err, io.EOF) {
		return nil, readable(err)
	}
	if !errors.Is(d.Decode(&yaml.Node{}), io.EOF) {
		return nil, fault.New("holds more than one document: give the policy as one")
	}
	var bad fault.List
	f.text.check(&bad)
	f.profile = f.text.resolve(&bad)
	if f.profile != nil {
		f.profile.Validate(&bad)
	}
	return f, bad.Err()
}

var unknown = regexp.MustCompile(`field (\S+) not found in type \S+`)

// readable says of a key that Dynamo does not have that it does not have it,
// and not in which structure of ours it is missing.
func readable(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	return fault.New("%s", unknown.ReplaceAllString(text, "$1 is not a key that Dynamo 1.6 has here"))
}

// Apply puts the file into the configuration of a router. prefill says that the
// workers behind it only prefill.
func (f *File) Apply(c *router.Config, prefill bool) {
	f.text.Router.apply(c)
	if i := f.text.selected(prefill); i != nil {
		i.Parameters.apply(c)
	}
	if f.profile != nil {
		c.Profile = f.profile
		c.QueueThreshold, c.QueuePolicy = 0, router.FCFS
	}
}

// Fields are the options of the command line that the file sets, separated by
// blanks: a second word on them would be lost.
func (f *File) Fields(prefill bool) string {
	names := f.text.Router.fields()
	if i := f.text.selected(prefill); i != nil {
		names = append(names, i.Parameters.fields()...)
	}
	if f.profile != nil {
		names = append(names, "router-queue-threshold", "router-queue-policy")
	}
	return strings.Join(names, " ")
}

// Families are the policy families and classes that requests have to ask for:
// all but the default one.
func (f *File) Families() (names []string) {
	if f.profile == nil {
		return nil
	}
	seen := map[string]bool{f.profile.DefaultFamily: true}
	for _, c := range f.profile.Classes {
		name := c.Family
		if name == "" {
			name = c.Name
		}
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	return names
}
