package supply

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
)

// The parts of a CycloneDX document that are written.
type (
	document struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Component  component  `json:"component"`
		Properties []property `json:"properties,omitempty"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Licenses   []licensed `json:"licenses,omitempty"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn"`
	}
	// licensed is one licence, or an expression of several.
	licensed struct {
		License    *licenseID `json:"license,omitempty"`
		Expression string     `json:"expression,omitempty"`
	}
	licenseID struct {
		ID string `json:"id"`
	}
)

// settings are those of a build that tell binaries apart. What says where or when
// it was made is not among them.
var settings = []string{"GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED", "-trimpath", "-ldflags", "vcs.revision",
	"vcs.modified"}

// WriteSBOM writes what a binary is made of as CycloneDX 1.6: the program in its
// version, and each module that the linker took, with version, checksum of go.sum
// and licence. Equal binaries give equal bytes: there is no time and no serial
// number. A module without a known licence has none in the list.
func WriteSBOM(w io.Writer, info *debug.BuildInfo, version string, known []Module) error {
	if info == nil || info.Main.Path == "" {
		return fmt.Errorf("the binary has no build information: it was not built with Go modules")
	}
	license := map[string]string{}
	for _, m := range known {
		license[m.Path] = m.License
	}
	root := part("application", info.Main.Path, version, "Apache-2.0")
	d := document{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{Component: root}}
	for _, key := range settings {
		for _, s := range info.Settings {
			if s.Key == key {
				d.Metadata.Properties = append(d.Metadata.Properties, property{"go:build:" + key, s.Value})
			}
		}
	}
	d.Components = append(d.Components,
		part("library", StandardLibrary, strings.TrimPrefix(info.GoVersion, "go"), license[StandardLibrary]))
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := part("library", m.Path, m.Version, license[m.Path])
		if m.Sum != "" {
			c.Properties = append(c.Properties, property{"go:sum", m.Sum})
		}
		d.Components = append(d.Components, c)
	}
	for _, m := range known {
		if strings.HasPrefix(m.Path, FromNPM) {
			d.Components = append(d.Components, part("library", m.Path, m.Version, m.License))
		}
	}
	slices.SortFunc(d.Components, func(a, b component) int { return strings.Compare(a.Name, b.Name) })
	all := dependency{Ref: root.Ref, On: []string{}}
	for _, c := range d.Components {
		all.On = append(all.On, c.Ref)
	}
	d.Dependencies = []dependency{all}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// part is a component; its package URL, escaped as purl-spec asks for, is its name
// in the document.
func part(kind, path, version, license string) component {
	var words []string
	for word := range strings.SplitSeq(path, "/") {
		words = append(words, url.QueryEscape(word))
	}
	if name, npm := strings.CutPrefix(path, FromNPM); npm {
		return licence(component{Type: kind, Ref: "pkg:npm/" + name + "@" + version, Name: name, Version: version,
			PURL: "pkg:npm/" + name + "@" + version}, license)
	}
	purl := "pkg:golang/" + strings.Join(words, "/") + "@" + url.QueryEscape(version)
	return licence(component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}, license)
}

// licence adds a licence, or an expression of several.
func licence(c component, license string) component {
	switch {
	case license == "":
	case strings.Contains(license, " "):
		c.Licenses = []licensed{{Expression: license}}
	default:
		c.Licenses = []licensed{{License: &licenseID{license}}}
	}
	return c
}
