// Package dgd edits DynamoGraphDeployments: it applies a parallel mapping, makes
// the one-worker deployment by which a candidate is measured, and writes the
// files that a search ends with. It reads the sizes of KV caches from the logs
// of engines, too.
//
// A file's text flows in as a [Document]; each edit gives a new Document. Only
// the text of what is edited changes: comments, blank lines, the order of keys,
// quoting and fields that this package does not know stay as they were. The
// package refuses what it would have to guess: a deployment without the
// services that an edit needs, a backend that does not fit the commands, a
// script that is not one simple command of Dynamo's among others, a model whose
// name only a shell knows. It never talks to a cluster.
package dgd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// The kind that is edited, and the versions of its API that are known.
const (
	Kind     = "DynamoGraphDeployment"
	V1Alpha1 = "nvidia.com/v1alpha1"
	V1Beta1  = "nvidia.com/v1beta1"
)

// Document is a file with one DynamoGraphDeployment, and whatever else stands
// in it. It is never changed: edits return another.
type Document struct {
	// parts are the YAML documents, each with its marker line; together they
	// are the text.
	parts []string
	// at is which of them is the deployment, and objects what all of them say;
	// nil for a part that is empty.
	at      int
	objects []map[string]any
	// bom and crlf are what was taken off the text and comes back.
	bom, crlf bool
}

const bom = "\ufeff"

// Read reads a file. It has exactly one DynamoGraphDeployment; other objects
// (ConfigMaps) are kept. The error says which document of the file is at fault.
func Read(data []byte) (*Document, error) {
	d, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("reading a %s: %w", Kind, err)
	}
	return d, nil
}

func read(data []byte) (*Document, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("the file is not UTF-8 text")
	}
	text, marked := strings.CutPrefix(string(data), bom)
	d := &Document{bom: marked}
	if n := strings.Count(text, "\r\n"); n > 0 && n == strings.Count(text, "\n") {
		d.crlf, text = true, strings.ReplaceAll(text, "\r\n", "\n")
	}
	d.parts = splitDocuments(text)
	var found []int
	for i, part := range d.parts {
		object, err := decodeObject(part)
		if err == nil {
			err = checkKeys(part)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d of the file: %w", i+1, err)
		}
		d.objects = append(d.objects, object)
		if object["kind"] == Kind {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the file has %d objects of kind %s and must have exactly one (found: %s)", len(found),
			Kind, d.kinds())
	}
	d.at = found[0]
	if _, err := d.view(); err != nil {
		return nil, err
	}
	return d, nil
}

// kinds lists what a file holds, for messages.
func (d *Document) kinds() string {
	var list []string
	for _, o := range d.objects {
		if o != nil {
			list = append(list, fmt.Sprint(o["kind"]))
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// splitDocuments cuts a file before each line that begins a document.
func splitDocuments(text string) []string {
	var parts []string
	start := 0
	for at := 0; at < len(text); {
		end := at + strings.IndexByte(text[at:]+"\n", '\n') + 1
		line := text[at:min(end, len(text))]
		if marker(line) && at > start {
			parts = append(parts, text[start:at])
			start = at
		}
		at = end
	}
	return append(parts, text[start:])
}

// marker reports whether a line is --- alone or with something behind it.
func marker(line string) bool {
	rest, ok := strings.CutPrefix(line, "---")
	return ok && (rest == "" || strings.ContainsAny(rest[:1], " \t\n\r"))
}

// decodeObject reads one document as Kubernetes would: whole numbers as int64,
// others as float64; nil when there is nothing in it.
func decodeObject(part string) (map[string]any, error) {
	j, err := yaml.YAMLToJSON([]byte(part))
	if err != nil {
		return nil, fmt.Errorf("it is not YAML that Kubernetes reads: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(j))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("it has no form in JSON: %w", err)
	}
	switch v := plainNumbers(v).(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	default:
		return nil, errors.New("it is not an object: it begins with a list or a single value")
	}
}

// plainNumbers gives numbers the types of a dynamic client.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, inner := range v {
			v[k] = plainNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = plainNumbers(inner)
		}
	}
	return v
}

// copyValue copies maps and lists, so that a caller may write to the result.
func copyValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			out[k] = copyValue(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = copyValue(inner)
		}
		return out
	}
	return v
}

// YAML is the whole file: byte for byte what was read, where nothing was
// edited.
func (d *Document) YAML() []byte {
	text := strings.Join(d.parts, "")
	if d.crlf {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if d.bom {
		text = bom + text
	}
	return []byte(text)
}

// Object is the deployment for a dynamic client: a copy that the caller may
// change, with int64 for whole numbers.
func (d *Document) Object() map[string]any {
	return copyValue(d.objects[d.at]).(map[string]any)
}

// Others are the other objects of the file, in its order.
func (d *Document) Others() []map[string]any {
	var list []map[string]any
	for i, o := range d.objects {
		if i != d.at && o != nil {
			list = append(list, copyValue(o).(map[string]any))
		}
	}
	return list
}

// JSON is the deployment as JSON.
func (d *Document) JSON() ([]byte, error) {
	j, err := json.Marshal(d.objects[d.at])
	if err != nil {
		return nil, fmt.Errorf("writing a %s as JSON: %w", Kind, err)
	}
	return j, nil
}

// Name is metadata.name; "" when it is not set.
func (d *Document) Name() string { return d.metadata("name") }

// Namespace is metadata.namespace; "" when it is not set.
func (d *Document) Namespace() string { return d.metadata("namespace") }

// APIVersion is [V1Alpha1] or [V1Beta1].
func (d *Document) APIVersion() string {
	s, _ := d.objects[d.at]["apiVersion"].(string)
	return s
}

func (d *Document) metadata(key string) string {
	m, _ := d.objects[d.at]["metadata"].(map[string]any)
	s, _ := m[key].(string)
	return s
}

// with is the document with another text of the deployment.
func (d *Document) with(part string) (*Document, error) {
	object, err := decodeObject(part)
	if err != nil {
		return nil, err
	}
	next := *d
	next.parts, next.objects = slices.Clone(d.parts), slices.Clone(d.objects)
	next.parts[d.at], next.objects[d.at] = part, object
	return &next, nil
}

// keys lists a map's keys in order, for messages.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
