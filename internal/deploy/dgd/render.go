package dgd

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value in the tree of a document.
type node = *yaml.Node

// text is a string as a node; it is quoted where it would read as something
// else, by the rules of YAML 1.1 too, which Kubernetes follows: y is true there.
func text(s string) node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.Contains(s, "\n") {
		n.Style = yaml.LiteralStyle
		return n
	}
	out, err := encode(probe(n))
	if err == nil {
		if o, err := decodeObject(out); err == nil && o["v"] == s {
			return n
		}
	}
	n.Style = yaml.DoubleQuotedStyle
	return n
}

// probe is a map of one value, to see how that is written.
func probe(n node) node {
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "v"}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []node{key, n}}
}

// number is a whole number as a node.
func number(i int) node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(i)}
}

// truth is true or false as a node.
func truth(b bool) node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

// entry is a key with its value.
type entry struct {
	key   string
	value node
}

// mapping is a map as a node, in the order given.
func mapping(entries ...entry) node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, e := range entries {
		n.Content = append(n.Content, text(e.key), e.value)
	}
	return n
}

// list is a list as a node.
func list(items ...node) node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

// texts is a list of strings as a node.
func texts(items []string) node {
	n := list()
	for _, s := range items {
		n.Content = append(n.Content, text(s))
	}
	return n
}

// encode writes a node in block style, without the last line break.
func encode(n node) (string, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return "", fmt.Errorf("writing YAML: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), e.Close()
}

// encodeFlow writes a node on one line, so that it may stand within brackets.
func encodeFlow(n node) (string, error) {
	s, err := encode(&yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []node{flowing(n)}})
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), nil
}

// flowing is a copy without styles that need lines of their own.
func flowing(n node) node {
	c := *n
	c.Content = nil
	for _, inner := range n.Content {
		c.Content = append(c.Content, flowing(inner))
	}
	if n.Kind == yaml.ScalarNode {
		if c.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			c.Style = yaml.DoubleQuotedStyle
		}
	} else {
		c.Style = yaml.FlowStyle
	}
	return &c
}

// indented puts spaces before every line but empty ones.
func indented(s string, by int) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", by) + line
		}
	}
	return strings.Join(lines, "\n")
}

// renderEntry writes "key: value" for a block mapping at an indentation, with
// its line break.
func renderEntry(key string, value node, at int) (string, error) {
	s, err := encode(mapping(entry{key, value}))
	return indented(s, at) + "\n", err
}

// renderItem writes "- value" for a block sequence at an indentation, with its
// line break.
func renderItem(value node, at int) (string, error) {
	s, err := encode(list(value))
	return indented(s, at) + "\n", err
}

// renderScalar writes a scalar in the place of an old one, quoted as that was
// where it can be. at is the indentation of the collection around it.
func renderScalar(value, old node, within bool, at int) (string, error) {
	n := *value
	if quotes := old.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle); quotes != 0 && n.Tag == "!!str" &&
		!strings.Contains(n.Value, "\n") {
		n.Style = quotes
	}
	if within {
		return encodeFlow(&n)
	}
	s, err := encode(&n)
	first, rest, more := strings.Cut(s, "\n")
	if !more {
		return first, err
	}
	return first + "\n" + indented(rest, max(at, 0)), err
}
