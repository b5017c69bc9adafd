// Package release is what differs between releases of Dynamo, as far as a
// deployment is written for one: how a planner is started and which settings it
// has, which image runs it, and in which words workers are told what they are.
//
// All of it is data, in releases.yaml, with the file of the released wheel that each
// fact is from; nothing else in headway asks which release it is. The package edits
// nothing and knows no Kubernetes.
package release

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

//go:embed releases.yaml
var file []byte

// table is releases.yaml.
var table = mustRead(file)

// data is what the file holds.
type data struct {
	Releases       []string                   `json:"releases"`
	Default        string                     `json:"default"`
	Images         []string                   `json:"images"`
	PlannerImage   image                      `json:"plannerImage"`
	MockerImage    image                      `json:"mockerImage"`
	ScalingAdapter span                       `json:"scalingAdapter"`
	Planners       []Planner                  `json:"planners"`
	Settings       map[string]span            `json:"settings"`
	Renamed        [][]string                 `json:"renamed"`
	Phrases        map[string][][]Form        `json:"phrases"`
	Needs          map[string][]need          `json:"needs"`
	Flags          map[string]map[string]flag `json:"flags"`
}

type image struct {
	In   span   `json:"in"`
	Name string `json:"name"`
}

type need struct {
	In     span     `json:"in"`
	Beside []string `json:"beside"`
	Args   []string `json:"args"`
}

type flag struct {
	In      span   `json:"in"`
	Instead string `json:"instead"`
}

// Planner says how a planner is started.
type Planner struct {
	In span `json:"in"`
	// Module is what python3 -m runs.
	Module string `json:"module"`
	// Config says that its settings are one JSON object behind --config, and not
	// flags.
	Config bool `json:"config"`
}

// Form is one wording of what a command line says.
type Form struct {
	In span `json:"in"`
	// Args are a flag, and its value where it has one.
	Args []string `json:"args"`
}

// span is one or more ranges of releases: "0.9-1.3", "1.1-", "0.9,1.1-".
type span string

// mustRead reads the embedded file, which a test has read before.
func mustRead(text []byte) data {
	var d data
	if err := yaml.UnmarshalStrict(text, &d); err != nil {
		panic(fmt.Sprintf("releases.yaml: %v", err))
	}
	return d
}

// Release is one of Dynamo's, by its first two numbers. The zero value is
// [Default].
type Release struct{ index int }

// at is the release at a place in the list; the zero value has to be the default.
func at(place int) Release { return Release{place - defaultPlace()} }

func (r Release) place() int { return r.index + defaultPlace() }

func defaultPlace() int { return slices.Index(table.Releases, table.Default) }

// Default is the release that is written for where none is asked for.
func Default() Release { return Release{} }

// Known lists the releases, oldest first.
func Known() []string { return slices.Clone(table.Releases) }

// String is the release's name: 1.6.
func (r Release) String() string { return table.Releases[r.place()] }

// Find is the release of a version: 1.6, 1.6.1, v1.6.1-cuda13. The error lists what
// is known.
func Find(version string) (Release, error) {
	name, ok := named(version)
	if !ok {
		return Release{}, fmt.Errorf("%q is no release of Dynamo: %s are known", version, strings.Join(Known(), ", "))
	}
	place := slices.Index(table.Releases, name)
	if place < 0 {
		return Release{}, fmt.Errorf("release %s of Dynamo is not known: %s are", version, strings.Join(Known(), ", "))
	}
	return at(place), nil
}

// named is the first two numbers of a version.
func named(version string) (string, bool) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 || !number(parts[0]) {
		return "", false
	}
	minor := parts[1]
	if end := strings.IndexFunc(minor, func(c rune) bool { return c < '0' || c > '9' }); end > 0 && len(parts) == 2 {
		minor = minor[:end]
	}
	return parts[0] + "." + minor, number(minor)
}

func number(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Of is the version that the tag of one of Dynamo's published images says; "" for
// other images, and for tags that are no version.
func Of(image string) string {
	image, _, _ = strings.Cut(image, "@")
	base := image[strings.LastIndexByte(image, '/')+1:]
	name, tag, _ := strings.Cut(base, ":")
	if _, ok := named(tag); !ok || !slices.Contains(table.Images, name) {
		return ""
	}
	return tag
}

// holds says whether a release is in the span.
func (s span) holds(r Release) bool {
	for _, part := range strings.Split(string(s), ",") {
		first, last, isRange := strings.Cut(part, "-")
		from := slices.Index(table.Releases, first)
		to := from
		if isRange {
			to = len(table.Releases) - 1
			if last != "" {
				to = slices.Index(table.Releases, last)
			}
		}
		if from <= r.place() && r.place() <= to {
			return true
		}
	}
	return false
}

// check finds a span that names no release.
func (s span) check() error {
	for _, part := range strings.FieldsFunc(string(s), func(c rune) bool { return c == ',' || c == '-' }) {
		if !slices.Contains(table.Releases, part) {
			return fmt.Errorf("span %q: there is no release %q", s, part)
		}
	}
	if s == "" {
		return errors.New("a span is empty")
	}
	return nil
}
