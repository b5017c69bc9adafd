package config

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// decimal is a number that every reader takes for the same.
var decimal = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][-+]?[0-9]+)?$`)

// Decimal refuses a number of which readers make different ones: 010 is eight in
// C and in YAML, 0x10 and 1_000 are numbers to some and text to others. Text
// that is no number to anybody passes.
func Decimal(text string) error {
	if decimal.MatchString(text) || !ambiguous.MatchString(text) {
		return nil
	}
	return errDecimal
}

// The number is not in it: it may be a secret that is all digits.
var errDecimal = errors.New("numbers are decimal, without leading zeros, underscores or 0x (010 is 8 to some readers)")

var ambiguous = regexp.MustCompile(`^[-+]?(0[xX][-+0-9a-fA-F_.pP]+|0[oO][0-7_]+|0[bB][01_]+|` +
	`[0-9._][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]+)?)$`)

// plain are the tags that YAML gives by itself.
var plain = map[string]bool{"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!timestamp": true}

// scalar is the text of a value as it was written: whoever reads the option
// knows better than YAML whether 1e3 or yes is a number, a truth or a name.
func scalar(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		if n.Alias.Kind != yaml.ScalarNode {
			return "", fault(n.Line, "*%s stands for more than one value: write it out", n.Value)
		}
		text, err := scalar(n.Alias)
		if err != nil {
			return "", fault(n.Line, "*%s: it has no value that can be repeated", n.Value)
		}
		return text, nil
	}
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		return "", fault(n.Line, "has no value: leave the line out, or write \"\" for an empty one")
	case !plain[tag]:
		return "", fault(n.Line, "%s: values have no tags here", tag)
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|
		yaml.TaggedStyle) == 0:
		if err := Decimal(n.Value); err != nil {
			return "", fault(n.Line, "%w; text that looks so goes in quotes", err)
		}
	}
	return n.Value, nil
}

// element is one of a list, a mapping as JSON.
func element(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.SequenceNode:
		return "", fault(n.Line, "a list in a list: options have plain ones")
	case yaml.MappingNode:
		return object(n)
	}
	return scalar(n)
}

// object is a mapping as JSON.
func object(n *yaml.Node) (string, error) {
	v, err := jsonOf(n)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "", fault(n.Line, "cannot be written as JSON: %w", err)
	}
	return string(text), nil
}

// jsonOf is a value within a mapping, as JSON has it.
func jsonOf(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			v, err := jsonOf(e)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case yaml.MappingNode:
		return jsonObject(n)
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil, nil
	}
	text, err := scalar(n)
	if err != nil {
		return nil, err
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.ShortTag() {
	case "!!bool":
		return text == "true" || text == "True" || text == "TRUE", nil
	case "!!int", "!!float":
		return number(n.Line, text)
	}
	return text, nil
}

// number keeps the digits, of which a float64 may have too few.
func number(line int, text string) (any, error) {
	if json.Valid([]byte(text)) {
		return json.Number(text), nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fault(line, "%s: JSON has no such number", text)
	}
	return x, nil
}

func jsonObject(n *yaml.Node) (any, error) {
	all := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			return nil, fault(key.Line, "a key must be a plain name")
		}
		if _, twice := all[key.Value]; twice {
			return nil, fault(key.Line, "%s is set twice", key.Value)
		}
		v, err := jsonOf(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		all[key.Value] = v
	}
	return all, nil
}
