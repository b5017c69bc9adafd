package dgd

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"headway/internal/fault"
)

// defaults holds the deployments that are used where none is given.
//
//go:embed defaults/*.yaml
var defaults embed.FS

// placeholder is the image of a default deployment, which no cluster can pull.
const placeholder = "example.invalid/"

// Default is a small disaggregated deployment of a backend, in v1alpha1: a
// frontend, one prefill and one decode worker with one GPU each. Its model and
// images are to be set; see [Document.WithModel], [Document.WithImage] and
// [Document.Deployable].
func Default(backend string) (*Document, error) {
	if _, err := engineOf(backend); err != nil {
		return nil, err
	}
	return readDefault(backend)
}

func readDefault(name string) (*Document, error) {
	data, err := defaults.ReadFile("defaults/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading a default deployment: %w", err)
	}
	return Read(data)
}

// Deployable gives what keeps a deployment from being created: images that are
// missing or placeholders.
func (d *Document) Deployable() error {
	services, err := d.view()
	if err != nil {
		return err
	}
	var faults []error
	for _, s := range services {
		v, _ := lookup(d.objects[d.at], s.main.plus("image"))
		image, _ := v.(string)
		if image == "" || strings.HasPrefix(image, placeholder) ||
			slices.Contains(strings.Split(image, "/"), "my-registry") || strings.HasSuffix(image, ":my-tag") {
			faults = append(faults,
				fault.New("service %s has the image %q: give %s, or a %s with images that the "+
					"cluster can pull", s.name, image, fault.Field("dgd-image"), fault.Field("config")))
		}
	}
	return errors.Join(faults...)
}
