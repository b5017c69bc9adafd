package dgd

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// edit is one change, in two forms that must agree: on the text, and on what
// the text says.
type edit struct {
	what  string
	at    path
	text  func(*source) (string, error)
	value func(any) (any, error)
}

// editor applies changes to the text of one YAML document. After the first
// error it does nothing more.
type editor struct {
	text   string
	object map[string]any
	// others are the other objects of the file, which are only read.
	others []map[string]any
	err    error
}

// put sets a value, and makes what is missing on the way.
func (e *editor) put(at path, n node) {
	c, err := putting(at, n)
	if err != nil {
		e.fail(err)
		return
	}
	e.do(c)
}

func putting(at path, n node) (edit, error) {
	v, err := plainValue(n)
	return edit{"setting", at,
		func(s *source) (string, error) { return s.put(at, n) },
		func(old any) (any, error) { return putValue(old, at, v) }}, err
}

// remove takes a value out; nothing happens when it is not there.
func (e *editor) remove(at path) {
	if _, ok := lookup(e.object, at); ok {
		e.do(removing(at))
	}
}

func removing(at path) edit {
	return edit{"removing", at,
		func(s *source) (string, error) { return s.remove(at) },
		func(old any) (any, error) { return removeValue(old, at) }}
}

// insert puts an item into a list before place i.
func (e *editor) insert(at path, i int, n node) {
	c, err := inserting(at, i, n)
	if err != nil {
		e.fail(err)
		return
	}
	e.do(c)
}

func inserting(at path, i int, n node) (edit, error) {
	v, err := plainValue(n)
	return edit{"adding to", at,
		func(s *source) (string, error) { return s.insertItem(at, i, n) },
		func(old any) (any, error) {
			found, _ := lookup(old, at)
			l, _ := found.([]any)
			return putValue(old, at, slices.Insert(l, min(i, len(l)), v))
		}}, err
}

// rename gives a key another name.
func (e *editor) rename(at path, key string) {
	v, _ := lookup(e.object, at)
	e.do(edit{"renaming", at,
		func(s *source) (string, error) { return s.rename(at, key) },
		func(old any) (any, error) {
			old, err := removeValue(old, at)
			if err != nil {
				return nil, err
			}
			return putValue(old, at[:len(at)-1].plus(key), v)
		}})
}

func (e *editor) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// do changes the text, and holds what it says then against what it should. A
// layout that cannot be edited in place, or an anchor that the change would
// pull along, is written anew first, without anchors and in plain style.
func (e *editor) do(c edit) {
	if e.err != nil {
		return
	}
	want, err := c.value(copyValue(e.object))
	if err != nil {
		e.err = fmt.Errorf("%s %s: %w", c.what, c.at, err)
		return
	}
	text, err := attempt(e.text, c, want)
	if err != nil {
		plain, again := rewrite(e.text)
		if again == nil {
			text, err = attempt(plain, c, want)
		}
	}
	if err != nil {
		e.err = fmt.Errorf("%s %s: %w; write the lines around it in plain block style", c.what, c.at, err)
		return
	}
	e.text, e.object = text, want.(map[string]any)
}

func attempt(text string, c edit, want any) (string, error) {
	s, err := parseSource(text)
	if err != nil {
		return "", err
	}
	next, err := c.text(s)
	if err != nil {
		return "", err
	}
	got, err := decodeObject(next)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errLayout, err)
	}
	if !reflect.DeepEqual(any(got), want) {
		return "", errLayout
	}
	return next, nil
}

// rewrite writes a document in plain block style, anchors and merges written
// out. Comments stay; blank lines and indentation do not.
func rewrite(part string) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(part), &document); err != nil {
		return "", err
	}
	left := 100_000 // nodes; anchors within anchors grow without bound
	plain, err := expand(&document, &left)
	if err != nil {
		return "", err
	}
	out, err := encode(plain)
	if err != nil {
		return "", err
	}
	if marker(part) {
		out = "---\n" + out
	}
	before, err := decodeObject(part)
	if err != nil {
		return "", err
	}
	if after, err := decodeObject(out); err != nil || !reflect.DeepEqual(before, after) {
		return "", errLayout
	}
	return out + "\n", nil
}

// expand copies a tree with aliases and merges written out and brackets made
// lines.
func expand(n node, left *int) (node, error) {
	if *left--; *left < 0 {
		return nil, fmt.Errorf("anchors make the document too large")
	}
	if n.Kind == yaml.AliasNode {
		return expand(n.Alias, left)
	}
	c := *n
	c.Anchor, c.Content, c.Style = "", nil, c.Style&^yaml.FlowStyle
	for _, inner := range n.Content {
		copied, err := expand(inner, left)
		if err != nil {
			return nil, err
		}
		c.Content = append(c.Content, copied)
	}
	if c.Kind == yaml.MappingNode {
		c.Content = merged(c.Content)
	}
	return &c, nil
}

// merged writes out the << keys of a mapping: what stands beside them wins, and
// of several the first.
func merged(content []node) []node {
	var out, inherited []node
	for i := 0; i+1 < len(content); i += 2 {
		switch k, v := content[i], content[i+1]; {
		case k.Tag != "!!merge":
			out = append(out, k, v)
		case v.Kind == yaml.SequenceNode:
			for _, m := range v.Content {
				inherited = append(inherited, m.Content...)
			}
		default:
			inherited = append(inherited, v.Content...)
		}
	}
	for i := 0; i+1 < len(inherited); i += 2 {
		if place(&yaml.Node{Kind: yaml.MappingNode, Content: out}, inherited[i].Value) < 0 {
			out = append(out, inherited[i], inherited[i+1])
		}
	}
	return out
}

// plainValue is what a node says, with the types of decodeObject.
func plainValue(n node) (any, error) {
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	j, err := json.Marshal(map[string]any{"v": v})
	if err != nil {
		return nil, err
	}
	o, err := decodeObject(string(j))
	return o["v"], err
}

// lookup follows a path through maps and lists.
func lookup(v any, at path) (any, bool) {
	for _, step := range at {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			inner, ok := m[step]
			if !ok {
				return nil, false
			}
			v = inner
		case int:
			l, _ := v.([]any)
			if step < 0 || step >= len(l) {
				return nil, false
			}
			v = l[step]
		}
	}
	return v, true
}

// putValue is the tree with a value at a path.
func putValue(tree any, at path, v any) (any, error) {
	if len(at) == 0 {
		return v, nil
	}
	switch step := at[0].(type) {
	case string:
		m, ok := tree.(map[string]any)
		if !ok && tree != nil {
			return nil, fmt.Errorf("what holds %q is not a mapping", step)
		}
		if m == nil {
			m = map[string]any{}
		}
		inner, err := putValue(m[step], at[1:], v)
		m[step] = inner
		return m, err
	case int:
		l, _ := tree.([]any)
		if step > len(l) {
			return nil, fmt.Errorf("there is no item %d", step)
		}
		if step == len(l) {
			l = append(l, nil)
		}
		inner, err := putValue(l[step], at[1:], v)
		l[step] = inner
		return l, err
	}
	return nil, fmt.Errorf("a path has a %T", at[0])
}

// removeValue is the tree without the value at a path, which is there.
func removeValue(tree any, at path) (any, error) {
	outer, _ := lookup(tree, at[:len(at)-1])
	switch step := at[len(at)-1].(type) {
	case string:
		m, _ := outer.(map[string]any)
		delete(m, step)
		return tree, nil
	case int:
		l, _ := outer.([]any)
		return putValue(tree, at[:len(at)-1], slices.Delete(l, step, step+1))
	}
	return nil, fmt.Errorf("a path has a %T", at[len(at)-1])
}
