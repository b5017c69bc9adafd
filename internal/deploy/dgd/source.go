package dgd

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// source is the text of one YAML document with its nodes. Libraries that write
// a tree back lose blank lines, indentation and the layout of folded text, so
// the text is cut and joined here, and the tree only says where.
type source struct {
	text string
	// lines are the offsets at which lines begin.
	lines []int
	root  node
}

// parseSource reads a document whose root is a mapping.
func parseSource(text string) (*source, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 ||
		document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("the document is not a mapping")
	}
	return &source{text, lineStarts(text), document.Content[0]}, nil
}

// checkKeys finds keys that a mapping has twice.
func checkKeys(part string) error {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(part), &document); err != nil {
		return fmt.Errorf("it is not YAML: %w", err)
	}
	return uniqueKeys(&document)
}

func uniqueKeys(n node) error {
	seen := make(map[string]bool)
	for i, inner := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if id := inner.Tag + inner.Value; inner.Kind == yaml.ScalarNode && seen[id] {
				return fmt.Errorf("line %d: the key %q is already set", inner.Line, inner.Value)
			} else if inner.Kind == yaml.ScalarNode {
				seen[id] = true
			}
		}
		if err := uniqueKeys(inner); err != nil {
			return err
		}
	}
	return nil
}

// lineStarts counts lines as YAML 1.1 does, which has more breaks than \n.
func lineStarts(text string) []int {
	starts := []int{0}
	for i, r := range text {
		switch r {
		case '\r':
			if strings.HasPrefix(text[i:], "\r\n") {
				continue
			}
			starts = append(starts, i+1)
		case '\n':
			starts = append(starts, i+1)
		case '\u0085':
			starts = append(starts, i+2)
		case '\u2028', '\u2029':
			starts = append(starts, i+3)
		}
	}
	return starts
}

// at is where a node begins; columns count characters.
func (s *source) at(n node) int {
	if n.Line < 1 || n.Line > len(s.lines) {
		return len(s.text)
	}
	offset, column := s.lines[n.Line-1], 1
	for i := range s.text[offset:] {
		if column == n.Column {
			return offset + i
		}
		column++
	}
	return len(s.text)
}

// absent reports whether nothing is written for a value: the null of "key:".
func absent(n node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&^yaml.TaggedStyle == 0 && n.Tag == "!!null"
}

func flow(n node) bool { return n.Style&yaml.FlowStyle != 0 }

func collection(n node) bool { return n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode }

// indent is the column, from 0, at which the entries of a block collection
// begin.
func indent(n node) int {
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		return n.Content[0].Column - 1
	}
	return n.Column - 1
}

// end is where the text of a node ends. outer is the indentation of the
// collection around it, -1 at the root.
func (s *source) end(n node, outer int) int {
	start := s.at(n)
	switch {
	case n.Kind == yaml.AliasNode:
		return s.endOfWord(start)
	case collection(n) && (flow(n) || len(n.Content) == 0):
		return s.endOfFlow(s.skipProperties(start))
	case collection(n):
		last := n.Content[len(n.Content)-1]
		return s.end(last, indent(n))
	}
	return s.endOfScalar(n, s.skipProperties(start), outer)
}

func (s *source) endOfWord(at int) int {
	if n := strings.IndexAny(s.text[at:], " \t\r\n,]}"); n >= 0 {
		return at + n
	}
	return len(s.text)
}

// skipProperties goes past a node's tag.
func (s *source) skipProperties(at int) int {
	for at < len(s.text) && s.text[at] == '!' {
		at = s.endOfWord(at)
		at += len(s.text[at:]) - len(strings.TrimLeft(s.text[at:], " \t\r\n"))
	}
	return at
}

func (s *source) endOfScalar(n node, start, outer int) int {
	switch {
	case absent(n):
		return start
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return s.endOfQuote(start, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return s.endOfQuote(start, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.endOfBlock(start, outer)
	}
	return s.endOfPlain(start, n.Value)
}

// endOfQuote is behind the quote that closes the one at start.
func (s *source) endOfQuote(start int, quote byte) int {
	for i := start + 1; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\' && quote == '"':
			i++
		case s.text[i] == quote && quote == '\'' && strings.HasPrefix(s.text[i+1:], "'"):
			i++
		case s.text[i] == quote:
			return i + 1
		}
	}
	return len(s.text)
}

// endOfFlow is behind the bracket that closes the one at start.
func (s *source) endOfFlow(start int) int {
	depth, fresh := 0, true // fresh: a scalar may begin here
	for i := start; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case (c == '"' || c == '\'') && fresh:
			i = s.endOfQuote(i, c) - 1
			fresh = false
		case c == '#' && (i == 0 || strings.IndexByte(" \t\r\n", s.text[i-1]) >= 0):
			i += strings.IndexByte(s.text[i:]+"\n", '\n')
		case c == '[' || c == '{':
			depth++
			fresh = true
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
			fresh = false
		case c == ',' || c == ':':
			fresh = true
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			fresh = false
		}
	}
	return len(s.text)
}

// endOfPlain matches a plain scalar's value against the text, in which line
// breaks and indentation stand for spaces and line breaks of the value.
func (s *source) endOfPlain(start int, value string) int {
	const blank = " \t\r\n"
	i, j := start, 0
	for j < len(value) && i < len(s.text) {
		if strings.IndexByte(blank, s.text[i]) >= 0 && strings.IndexByte(blank, value[j]) >= 0 {
			i += len(s.text[i:]) - len(strings.TrimLeft(s.text[i:], blank))
			j += len(value[j:]) - len(strings.TrimLeft(value[j:], blank))
			continue
		}
		i, j = i+1, j+1
	}
	return i
}

// endOfBlock is the end of the last line of a literal or folded text: lines
// that are blank or at least as deep as the first.
func (s *source) endOfBlock(start, outer int) int {
	header, _, _ := strings.Cut(s.text[start:], "\n")
	depth := 0
	if i := strings.IndexAny(header, "123456789#"); i >= 0 && header[i] != '#' {
		depth = outer + int(header[i]-'0')
	}
	end := start + len(header)
	for at := end + 1; at < len(s.text); {
		line, _, _ := strings.Cut(s.text[at:], "\n")
		body := strings.TrimLeft(line, " ")
		deep := len(line) - len(body)
		if strings.TrimSpace(body) != "" {
			if depth == 0 && deep > outer {
				depth = deep
			}
			if depth == 0 || deep < depth {
				break
			}
			end = at + len(line)
		}
		at += len(line) + 1
	}
	return min(end, len(s.text))
}

// lineOf gives the bounds of the line that holds an offset, the end behind its
// line break.
func (s *source) lineOf(at int) (start, end int) {
	start = strings.LastIndexByte(s.text[:at], '\n') + 1
	return start, at + strings.IndexByte(s.text[at:]+"\n", '\n') + 1
}
