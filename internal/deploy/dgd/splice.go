package dgd

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

var errLayout = errors.New("the layout there cannot be edited in place")

// put gives the text with a value at a path: what stood there is replaced,
// what was missing on the way is made.
func (s *source) put(p path, value node) (string, error) {
	here, depth := s.find(p)
	if depth == len(p) {
		return s.replace(here, value)
	}
	for i := len(p) - 1; i > depth; i-- {
		key, ok := p[i].(string)
		if !ok {
			return "", fmt.Errorf("%s: there is no such list", p[:i])
		}
		value = mapping(entry{key, value})
	}
	switch step := p[depth].(type) {
	case string:
		return s.insert(here, step, value)
	default:
		if here.value.Kind == yaml.SequenceNode && step == size(here.value) {
			return s.add(here, value)
		}
		return "", fmt.Errorf("%s: there is no such item", p[:depth+1])
	}
}

// replace puts a value in the place of another.
func (s *source) replace(at spot, value node) (string, error) {
	old := at.value
	start, depth := s.at(old), -1
	if at.parent != nil {
		depth = indent(at.parent)
	}
	end := s.end(old, depth)
	switch {
	case absent(old):
		return s.fill(at, start, value)
	case collection(old) && !flow(old) && len(old.Content) > 0:
		return s.exchange(at, value)
	case at.within && value.Kind == yaml.ScalarNode && !collection(old):
		out, err := renderScalar(value, old, true, depth)
		return s.cut(s.skipProperties(start), end, out), err
	case at.within || collection(value) && len(value.Content) == 0:
		out, err := encodeFlow(value)
		return s.cut(start, end, out), err
	case collection(value):
		return s.exchange(at, value)
	case s.fits(old, start, value):
		return s.reblock(start, end, value.Value, old.Style)
	}
	out, err := renderScalar(value, old, false, depth)
	if old.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(out, "\n") {
		out = behindFirst(out, s.remark(at))
		end += strings.IndexByte(s.text[end:]+"\n", '\n')
	}
	return s.cut(s.skipProperties(start), end, out), err
}

// remark is the comment beside a value, with the space before it: on the line
// of its key where the value has lines of its own, else where it ends.
func (s *source) remark(at spot) string {
	from := s.end(at.value, indent(at.parent))
	switch {
	case at.value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		from = s.skipProperties(s.at(at.value))
	case collection(at.value) && !flow(at.value) && len(at.value.Content) > 0:
		from = s.end(at.key, -1)
	}
	_, end := s.lineOf(from)
	line := strings.TrimRight(s.text[from:min(end, len(s.text))], "\r\n")
	if i := strings.Index(line, " #"); i >= 0 {
		return line[len(strings.TrimRight(line[:i], " ")):]
	}
	return ""
}

// behindFirst puts a comment at the end of the first line.
func behindFirst(lines, comment string) string {
	first, rest, more := strings.Cut(lines, "\n")
	if !more {
		return first + comment
	}
	return first + comment + "\n" + rest
}

// fill writes a value where a key or a dash has none.
func (s *source) fill(at spot, colon int, value node) (string, error) {
	if at.within || at.key == nil || value.Kind == yaml.ScalarNode || len(value.Content) == 0 {
		out, err := encodeFlow(value)
		return s.cut(colon, colon, " "+out), err
	}
	out, err := encode(value)
	_, next := s.lineOf(colon)
	return s.onLine(next, indented(out, indent(at.parent)+2)+"\n"), err
}

// exchange replaces the lines of an entry of a block collection.
func (s *source) exchange(at spot, value node) (string, error) {
	if at.parent == nil || at.within {
		return "", errLayout
	}
	remark, out := "", ""
	var err error
	if at.key != nil {
		remark = s.remark(at)
		out, err = renderEntry(at.key.Value, value, indent(at.parent))
	} else {
		if !collection(at.value) || flow(at.value) {
			remark = s.remark(at)
		}
		out, err = renderItem(value, indent(at.parent))
		if value.Kind != yaml.ScalarNode && remark != "" { // "- # why" and the lines below
			inner, _ := encode(value)
			out, remark = "-"+remark+"\n"+indented(inner, indent(at.parent)+2)+"\n", ""
		}
	}
	_, end := s.lineOf(s.end(at.value, indent(at.parent)))
	start := s.begin(at.parent, at.index)
	return s.cut(start, min(end, len(s.text)), behindFirst(strings.TrimLeft(out, " "), remark)), err
}

// fits reports whether a text can take the place of a literal or folded one
// under its header, which says how the text ends.
func (s *source) fits(old node, start int, value node) bool {
	if old.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || value.Tag != "!!str" {
		return false
	}
	header, _, _ := strings.Cut(s.text[s.skipProperties(start):], "\n")
	header, _, _ = strings.Cut(header, "#")
	ending := len(value.Value) - len(strings.TrimRight(value.Value, "\n"))
	if strings.Contains(header, "-") {
		return ending == 0
	}
	return ending == 1 && !strings.Contains(header, "+")
}

// reblock replaces the lines of a literal or folded text; header and
// indentation stay. A folded text comes back with one line for each of its
// line breaks.
func (s *source) reblock(start, end int, value string, style yaml.Style) (string, error) {
	header, body, _ := strings.Cut(s.text[start:end], "\n")
	firstLine := strings.TrimLeft(strings.TrimLeft(body, "\n"), " ")
	if firstLine == "" {
		return "", errLayout
	}
	depth := len(strings.TrimLeft(body, "\n")) - len(firstLine)
	value = strings.TrimRight(value, "\n")
	if style&yaml.FoldedStyle != 0 {
		value = strings.ReplaceAll(value, "\n", "\n\n")
	}
	return s.cut(start, end, header+"\n"+indented(value, depth)), nil
}

// onLine inserts whole lines before an offset at which a line begins.
func (s *source) onLine(at int, lines string) string {
	if at >= len(s.text) {
		at = len(s.text)
		if !strings.HasSuffix(s.text, "\n") {
			lines = "\n" + strings.TrimSuffix(lines, "\n")
		}
	}
	return s.cut(at, at, lines)
}

// insert adds a key to what should be a mapping.
func (s *source) insert(at spot, key string, value node) (string, error) {
	m := at.value
	switch {
	case absent(m):
		return s.replace(at, mapping(entry{key, value}))
	case m.Kind != yaml.MappingNode:
		return "", fmt.Errorf("there is no mapping to hold %q", key)
	case flow(m) || len(m.Content) == 0:
		out, err := encodeFlow(mapping(entry{key, value}))
		return s.within(at, strings.TrimSuffix(strings.TrimPrefix(out, "{"), "}")), err
	}
	out, err := renderEntry(key, value, indent(m))
	_, next := s.lineOf(s.end(m, indent(m)))
	return s.onLine(next, out), err
}

// add puts an item at the end of a list.
func (s *source) add(at spot, value node) (string, error) {
	l := at.value
	if flow(l) || len(l.Content) == 0 {
		out, err := encodeFlow(value)
		return s.within(at, out), err
	}
	out, err := renderItem(value, indent(l))
	_, next := s.lineOf(s.end(l, indent(l)))
	return s.onLine(next, out), err
}

// within puts text behind the last entry of a collection in brackets.
func (s *source) within(at spot, out string) string {
	n := at.value
	open := s.skipProperties(s.at(n))
	if len(n.Content) == 0 {
		return s.cut(open+1, s.endOfFlow(open)-1, out)
	}
	end := s.end(n.Content[len(n.Content)-1], -1)
	return s.cut(end, end, ", "+out)
}

// remove takes a key with its value, or an item, out of its collection.
func (s *source) remove(p path) (string, error) {
	at, depth := s.find(p)
	switch {
	case depth < len(p):
		return s.text, nil
	case at.parent == nil:
		return "", errLayout
	case at.within:
		return s.removeWithin(at), nil
	case size(at.parent) == 1:
		return s.emptied(at, p)
	}
	return s.removeLines(at)
}

// emptied takes the only entry out of a block collection.
func (s *source) emptied(at spot, p path) (string, error) {
	owner, _ := s.find(p[:len(p)-1])
	if owner.key == nil {
		return "", errLayout
	}
	left := "{}"
	if at.parent.Kind == yaml.SequenceNode {
		left = "[]"
	}
	colon := s.end(owner.key, -1) + 1
	start, _ := s.lineOf(s.begin(at.parent, 0))
	_, end := s.lineOf(s.end(at.value, indent(at.parent)))
	out := s.cut(start, min(end, len(s.text)), "")
	return out[:colon] + " " + left + out[colon:], nil
}

// removeWithin takes an entry out of brackets, with one of its commas.
func (s *source) removeWithin(at spot) string {
	n, i := at.parent, at.index
	start, end := s.at(first(n, i)), s.end(last(n, i), -1)
	switch {
	case i+1 < size(n):
		end = s.at(first(n, i+1))
	case i > 0:
		start = s.end(last(n, i-1), -1)
	}
	return s.cut(start, end, "")
}

// removeLines takes out the lines of an entry of a block collection, with the
// comments right above it and the deeper ones below.
func (s *source) removeLines(at spot) (string, error) {
	n, i := at.parent, at.index
	begin := s.begin(n, i)
	start, _ := s.lineOf(begin)
	if strings.TrimSpace(s.text[start:begin]) != "" {
		if i+1 == size(n) {
			return "", errLayout
		}
		// The first key, on the line of a dash, where the next one goes; the
		// comments above that go above the dash.
		next := s.begin(n, i+1)
		line, _ := s.lineOf(next)
		comments := s.above(line, indent(n))
		dash := len(s.text[start:begin]) - len(strings.TrimLeft(s.text[start:begin], " "))
		lifted := strings.ReplaceAll(s.text[comments:line], strings.Repeat(" ", indent(n))+"#",
			strings.Repeat(" ", dash)+"#")
		return s.text[:start] + lifted + s.text[start:begin] + s.text[next:], nil
	}
	_, end := s.lineOf(s.end(at.value, indent(n)))
	end = s.below(min(end, len(s.text)), indent(n))
	start = s.above(start, indent(n))
	if blankBefore := start > 0 && strings.HasSuffix(s.text[:start], "\n\n"); blankBefore {
		for strings.HasPrefix(s.text[end:], "\n") {
			end++
		}
	}
	return s.cut(start, end, ""), nil
}

// above is the first of the comment lines right above a line, as deep as it.
func (s *source) above(start, depth int) int {
	for start > 0 {
		before, _ := s.lineOf(start - 1)
		line := s.text[before:start]
		body := strings.TrimLeft(line, " ")
		if !strings.HasPrefix(body, "#") || len(line)-len(body) != depth {
			break
		}
		start = before
	}
	return start
}

// below is behind the comment lines that follow and are deeper.
func (s *source) below(end, depth int) int {
	for end < len(s.text) {
		_, next := s.lineOf(end)
		next = min(next, len(s.text))
		line := s.text[end:next]
		body := strings.TrimLeft(line, " ")
		if !strings.HasPrefix(body, "#") || len(line)-len(body) <= depth {
			break
		}
		end = next
	}
	return end
}

// rename gives a mapping's key another name; everything else stays.
func (s *source) rename(p path, key string) (string, error) {
	at, depth := s.find(p)
	if depth < len(p) || at.key == nil {
		return "", fmt.Errorf("%s is not there", p)
	}
	out, err := renderScalar(text(key), at.key, at.within, 0)
	start := s.at(at.key)
	return s.cut(start, s.end(at.key, -1), out), err
}

// insertItem puts an item into a list before place i.
func (s *source) insertItem(p path, i int, value node) (string, error) {
	at, depth := s.find(p)
	if depth < len(p) || at.value.Kind != yaml.SequenceNode {
		return "", fmt.Errorf("%s is no list", p)
	}
	l := at.value
	if i >= size(l) {
		return s.add(at, value)
	}
	if flow(l) {
		out, err := encodeFlow(value)
		start := s.at(l.Content[i])
		return s.cut(start, start, out+", "), err
	}
	out, err := renderItem(value, indent(l))
	start, _ := s.lineOf(s.begin(l, i))
	return s.onLine(s.above(start, indent(l)), out), err
}
