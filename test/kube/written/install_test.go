package written

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// dynamo is the folder with Dynamo's resource definitions and example deployments,
// which lie beside the project and are no part of it.
const dynamo = "../../../../shared/data/dynamo/"

// install creates Dynamo's resource definitions and waits until they are served.
// There is no operator that would convert between versions: an object is judged by
// the version in which it is written.
func install(ctx context.Context, admin *rest.Config) error {
	client, err := dynamic.NewForConfig(admin)
	if err != nil {
		return err
	}
	for _, name := range []string{"dynamographdeployments", "dynamographdeploymentrequests"} {
		crd, err := definition(dynamo + "crds/" + name + ".yaml.gz")
		if err != nil {
			return err
		}
		unstructured.RemoveNestedField(crd.Object, "spec", "conversion")
		definitions := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1",
			Resource: "customresourcedefinitions"}
		if _, err := client.Resource(definitions).Create(ctx, crd, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating %s: %w", name, err)
		}
		for _, version := range []string{"v1alpha1", "v1beta1"} {
			if err := served(ctx, client.Resource(schema.GroupVersionResource{Group: "nvidia.com", Version: version,
				Resource: name})); err != nil {
				return fmt.Errorf("waiting for %s of %s: %w", version, name, err)
			}
		}
	}
	return nil
}

// served waits until a resource can be listed.
func served(ctx context.Context, resource dynamic.ResourceInterface) error {
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := resource.List(limit, metav1.ListOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-limit.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// definition reads a compressed resource definition.
func definition(path string) (*unstructured.Unstructured, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &o.Object); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

func newReader(text []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(text)) }
