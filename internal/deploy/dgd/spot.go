package dgd

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// path leads to a value: keys of mappings (string) and places in lists (int).
type path []any

// String is the path as people write it: spec.services.decode.args[3].
func (p path) String() string {
	var b strings.Builder
	for _, step := range p {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, step)
		}
	}
	return b.String()
}

// plus is the path with more steps, in memory of its own.
func (p path) plus(steps ...any) path {
	return append(append(make(path, 0, len(p)+len(steps)), p...), steps...)
}

// spot is where a value stands in the tree.
type spot struct {
	parent, key, value node
	// index is the value's place among the parent's keys or items, and outer
	// the indentation of the collection around the parent.
	index, outer int
	// within says that the parent stands in brackets.
	within bool
}

// find follows a path as far as it goes: the spot of the last step that is
// there, and how many steps are.
func (s *source) find(p path) (spot, int) {
	here := spot{value: s.root, outer: -1}
	for depth, step := range p {
		i := place(here.value, step)
		if i < 0 {
			return here, depth
		}
		next := spot{parent: here.value, index: i, outer: -1, within: here.within || flow(here.value)}
		if here.parent != nil {
			next.outer = indent(here.parent)
		}
		if here.value.Kind == yaml.MappingNode {
			next.key, next.value = here.value.Content[2*i], here.value.Content[2*i+1]
		} else {
			next.value = here.value.Content[i]
		}
		here = next
	}
	return here, len(p)
}

// place is the index of a step in a collection; -1 when it is not there.
func place(n node, step any) int {
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return step
		}
	case string:
		if n.Kind != yaml.MappingNode {
			return -1
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return i / 2
			}
		}
	}
	return -1
}

// size is how many entries or items a collection has.
func size(n node) int {
	if n.Kind == yaml.MappingNode {
		return len(n.Content) / 2
	}
	return len(n.Content)
}

// first is the node with which entry i of a collection begins.
func first(n node, i int) node {
	if n.Kind == yaml.MappingNode {
		return n.Content[2*i]
	}
	return n.Content[i]
}

// last is the node with which entry i of a collection ends.
func last(n node, i int) node {
	if n.Kind == yaml.MappingNode {
		return n.Content[2*i+1]
	}
	return n.Content[i]
}

// begin is where entry i of a block collection begins: its key, or its dash.
func (s *source) begin(n node, i int) int {
	at := s.at(first(n, i))
	if n.Kind == yaml.MappingNode {
		return at
	}
	for at > 0 {
		start, _ := s.lineOf(at)
		if dash := s.column(start, indent(n)); dash < at && dash < len(s.text) && s.text[dash] == '-' {
			return dash
		}
		at = start - 1
	}
	return 0
}

// column is the offset of a column, from 0, of the line that begins at start.
func (s *source) column(start, n int) int {
	for i := range s.text[start:] {
		if n == 0 {
			return start + i
		}
		n--
	}
	return len(s.text)
}

// cut removes the text between two offsets and puts another in its place.
func (s *source) cut(from, to int, with string) string {
	return s.text[:from] + with + s.text[to:]
}
