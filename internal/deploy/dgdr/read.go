package dgdr

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"headway/internal/deploy/dgd"
	"headway/internal/fault"
)

// Kind is that of a request, and the versions of its API that are read.
const (
	Kind     = "DynamoGraphDeploymentRequest"
	V1Alpha1 = "nvidia.com/v1alpha1"
	V1Beta1  = "nvidia.com/v1beta1"
)

// Holds says that a text is to be read as a request: one of its objects is of the
// kind, or it is a bare spec, as Dynamo's profiler takes it. One that cannot be read
// is where it names the kind, so that the fault is told of a request.
func Holds(data []byte) bool {
	objects, err := dgd.Objects(data)
	if err != nil {
		return bytes.Contains(data, []byte(Kind))
	}
	return slices.ContainsFunc(objects, isRequest) || isBare(objects)
}

// Inline says that a value is the text of a request and no file's name.
func Inline(value string) bool { return strings.HasPrefix(strings.TrimSpace(value), "{") }

func isRequest(o map[string]any) bool { return o["kind"] == Kind }

// isBare says that a spec stands alone.
func isBare(objects []map[string]any) bool {
	if len(objects) != 1 {
		return false
	}
	for _, key := range []string{"kind", "apiVersion", "metadata", "spec"} {
		if _, has := objects[0][key]; has {
			return false
		}
	}
	_, has := objects[0]["model"]
	return has
}

// Read reads a file that holds one request, or a bare spec. Beside a request it may
// hold ConfigMaps, one of which may be what the request starts from. The error has
// every fault, each with the path of its field.
func Read(data []byte) (*Request, error) {
	objects, err := dgd.Objects(data)
	if err != nil {
		return nil, fault.New("%w", err)
	}
	var bad fault.List
	if isBare(objects) {
		r := &Request{}
		readBeta(r, newFields("", objects[0], &bad))
		return r, bad.Err()
	}
	object, others, err := single(objects)
	if err != nil {
		return nil, err
	}
	r := &Request{Spec: "spec."}
	readObject(r, object, &bad)
	readOthers(r, others)
	return r, bad.Err()
}

// single is the request among some objects.
func single(objects []map[string]any) (request map[string]any, others []map[string]any, err error) {
	var found []map[string]any
	for _, o := range objects {
		switch {
		case isRequest(o):
			found = append(found, o)
		case o["kind"] == dgd.Kind:
			return nil, nil, fault.New("it holds a %s beside a %s: give the deployment in a file of its own, with %s",
				dgd.Kind, Kind, fault.Field("dgd-config"))
		default:
			others = append(others, o)
		}
	}
	switch len(found) {
	case 1:
		return found[0], others, nil
	case 0:
		return nil, nil, fault.New("it holds no object of kind %s", Kind)
	}
	var names []string
	for _, o := range found {
		names = append(names, nameOf(o))
	}
	return nil, nil, fault.New("it holds %d objects of kind %s (%s), and one is searched for: give them one a file",
		len(found), Kind, strings.Join(names, ", "))
}

func nameOf(o map[string]any) string {
	m, _ := o["metadata"].(map[string]any)
	s, _ := m["name"].(string)
	if s == "" {
		return "without a name"
	}
	return s
}

// readObject reads a request with its envelope. What the API server and the
// operator write there (metadata, status) is let be.
func readObject(r *Request, object map[string]any, bad *fault.List) {
	f := newFields("", object, bad)
	f.text("kind")
	f.take("status")
	if meta := f.object("metadata"); meta != nil {
		r.Name = meta.text("name")
		if ns := meta.text("namespace"); ns != "" {
			r.set("namespace", meta.at("namespace"), ns)
		}
	}
	r.Version = f.text("apiVersion")
	spec := f.object("spec")
	f.done()
	switch {
	case r.Version != V1Alpha1 && r.Version != V1Beta1:
		bad.Add("apiVersion: %q is not known: %s and %s are", r.Version, V1Beta1, V1Alpha1)
	case spec == nil:
		bad.When(!f.has("spec"), "spec: is missing")
	case r.Version == V1Alpha1:
		readAlpha(r, spec)
	default:
		readBeta(r, spec)
	}
}

// readOthers takes the deployment to start from out of the ConfigMap that holds it.
func readOthers(r *Request, others []map[string]any) {
	name, key, _ := strings.Cut(r.BaseRef, "/")
	for _, o := range others {
		data, _ := o["data"].(map[string]any)
		text, is := data[key].(string)
		if r.BaseRef != "" && o["kind"] == "ConfigMap" && nameOf(o) == name && is {
			r.Base = []byte(text)
			continue
		}
		r.unused(fmt.Sprintf("%v %s", o["kind"], nameOf(o)), "nothing of the search is read from it")
	}
}
