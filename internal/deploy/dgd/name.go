package dgd

import (
	"errors"
	"fmt"
	"strings"
)

// LongestName is how long the deployment's name and a service's name may be
// together, in characters: pods are named after both, and a longer name is
// refused.
const LongestName = 45

// Rename gives the deployment another name. Services that spell out their
// dynamoNamespace get it as that, so that deployments side by side do not find
// each other's workers. A name that is too long for a service, or that
// Kubernetes does not take, is an error.
func (d *Document) Rename(name string) (*Document, error) {
	if err := d.checkName(name); err != nil {
		return nil, fmt.Errorf("naming a %s %q: %w", Kind, name, err)
	}
	return d.edited(func(e *editor) error {
		if e.string(path{"metadata", "name"}) != name {
			e.put(path{"metadata", "name"}, text(name))
		}
		services, err := viewOf(e.object)
		for _, s := range services {
			at := s.at.plus("dynamoNamespace")
			if old := e.string(at); old != "" && old != name {
				e.put(at, text(name))
			}
		}
		return err
	})
}

// Suffixed is the deployment under its name, a hyphen and a suffix; the name is
// shortened where they would be too long.
func (d *Document) Suffixed(suffix string) (*Document, error) {
	room := LongestName - len(d.longestService()) - len(suffix) - 1
	if room < 1 {
		return nil, fmt.Errorf("naming a %s: the service %q leaves no room for a name of its deployment (together "+
			"%d characters): give the service a shorter name",
			Kind, d.longestService(), LongestName)
	}
	base := d.Name()
	if base == "" {
		base = "dgd"
	}
	base = strings.TrimRight(base[:min(len(base), room)], "-.")
	return d.Rename(base + "-" + suffix)
}

func (d *Document) longestService() string {
	longest := ""
	services, err := d.view()
	if err != nil {
		return ""
	}
	for _, s := range services {
		if len(s.name) > len(longest) {
			longest = s.name
		}
	}
	return longest
}

// checkName holds a name against the rules for labels of DNS, and its length
// against the longest service.
func (d *Document) checkName(name string) error {
	var faults []error
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if name == "" || strings.Trim(name, allowed) != "" || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") {
		faults = append(faults,
			errors.New("a name has lower-case letters, digits and hyphens, and begins and ends with a letter or digit"))
	}
	if s := d.longestService(); len(name)+len(s) > LongestName {
		faults = append(faults,
			fmt.Errorf("with the service %q it has %d characters, and %d are allowed: give a shorter name", s,
				len(name)+len(s), LongestName))
	}
	return errors.Join(faults...)
}
