package dgd

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// author writes YAML in the many ways in which people do, with a comment of its
// own beside most values.
type author struct {
	t        *rapid.T
	comments int
	keys     int
}

func (a *author) comment() string {
	a.comments++
	return fmt.Sprintf("# comment-%d;", a.comments)
}

func (a *author) chance(label string) bool { return rapid.IntRange(0, 2).Draw(a.t, label) == 0 }

func (a *author) trailing() string {
	if a.chance("trailing") {
		return "   " + a.comment()
	}
	return ""
}

func (a *author) key() string {
	a.keys++
	return rapid.SampledFrom([]string{"key-%d", `"key %d"`, "'it''s %d'", "schlüssel%d"}).Draw(a.t, "key")
}

// flow writes a value on one line, or over a few within brackets.
func (a *author) flow(depth int, in int) string {
	pad := "\n" + strings.Repeat(" ", in+3)
	switch n := rapid.IntRange(0, 6).Draw(a.t, "flow"); {
	case n == 0 && depth > 0:
		return fmt.Sprintf("{a: %s,%sb: %s}", a.flow(depth-1, in), pad, a.flow(depth-1, in))
	case n == 1 && depth > 0:
		return fmt.Sprintf("[ %s, %s ]", a.flow(depth-1, in), a.flow(depth-1, in))
	case n == 2:
		return `"dou\"ble: # {x}"`
	case n == 3:
		return `'sin''gle, ]'`
	case n == 4:
		return rapid.SampledFrom([]string{"[]", "{}", "~", "12", "true", "2001-01-01"}).Draw(a.t, "constant")
	}
	return "plain text"
}

// mapping writes a block mapping's lines; first says that the caller wrote the
// indentation of the first line.
func (a *author) mapping(depth, in int, first bool) string {
	var b strings.Builder
	for i := range rapid.IntRange(1, 3).Draw(a.t, "entries") {
		pad := strings.Repeat(" ", in)
		if first && i == 0 {
			pad = ""
		} else {
			if a.chance("blank") {
				b.WriteString("\n")
			}
			if a.chance("above") {
				b.WriteString(pad + a.comment() + "\n")
			}
		}
		b.WriteString(pad + fmt.Sprintf(a.key(), a.keys) + ":" + a.value(depth, in))
	}
	return b.String()
}

// value writes what stands behind a colon, or a dash, with its line break.
func (a *author) value(depth, in int) string {
	pad := strings.Repeat(" ", in)
	switch n := rapid.IntRange(0, 8).Draw(a.t, "value"); {
	case n == 0:
		return a.trailing() + "\n"
	case n == 1:
		return " |" + a.trailing() + "\n" + pad + "   literal # no comment\n\n" + pad + "     deeper\n"
	case n == 2:
		return " >-\n" + pad + "  folded\n" + pad + "  text\n"
	case n == 3:
		return " plain over\n" + pad + "   two lines" + a.trailing() + "\n"
	case n <= 5 && depth > 0:
		step := rapid.IntRange(1, 4).Draw(a.t, "step")
		return a.trailing() + "\n" + a.mapping(depth-1, in+step, false)
	case n == 6 && depth > 0:
		return a.trailing() + "\n" + a.list(depth-1, in+rapid.IntRange(0, 3).Draw(a.t, "dash"))
	}
	return " " + a.flow(depth, in) + a.trailing() + "\n"
}

func (a *author) list(depth, in int) string {
	var b strings.Builder
	pad := strings.Repeat(" ", in)
	for range rapid.IntRange(1, 3).Draw(a.t, "items") {
		if a.chance("above") {
			b.WriteString(pad + a.comment() + "\n")
		}
		b.WriteString(pad + "-")
		if depth > 0 && a.chance("mapping") {
			b.WriteString(" " + a.mapping(depth-1, in+2, true))
			continue
		}
		b.WriteString(" " + a.flow(depth, in) + a.trailing() + "\n")
	}
	return b.String()
}

// spots lists every path of a document, with the lines that it is on.
func spots(n *yaml.Node, at path) []path {
	out := []path{}
	for i := range size(n) {
		if !collection(n) {
			break
		}
		var step any = i
		if n.Kind == yaml.MappingNode {
			step = n.Content[2*i].Value
		}
		out = append(out, at.plus(step))
		out = append(out, spots(last(n, i), at.plus(step))...)
	}
	return out
}

var commentPattern = regexp.MustCompile(`# comment-[0-9]+;`)

// However a document is written, an edit of any of its values can be made in
// place, and loses no comment but those of what it takes out.
func TestEditsKeepTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &author{t: t}
		text := a.mapping(3, 0, false)
		s, err := parseSource(text)
		if err != nil {
			t.Skip("not a document", err)
		}
		all := spots(s.root, nil)
		at := rapid.SampledFrom(all).Draw(t, "at")
		spot, _ := s.find(at)
		c := drawEdit(t, at, spot)
		object, err := decodeObject(text)
		if err != nil {
			t.Skip("not for Kubernetes", err)
		}
		want, err := c.value(copyValue(any(object)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := attempt(text, c, want)
		if err != nil {
			if strings.HasPrefix(c.what, "removing") && dashLine(s, spot) {
				return // the only key on the line of a dash: written anew
			}
			out, _ := c.text(s)
			t.Fatalf("%s %s: %v\n--- before\n%s--- after\n%s", c.what, at, err, text, out)
		}
		kept(t, s, spot, c, text, got)
	})
}

func drawEdit(t *rapid.T, at path, spot spot) edit {
	value := rapid.SampledFrom([]node{text("new"), text("a: b # c"), text("12"), number(12),
		texts([]string{"x", "y, z"}),
		mapping(entry{"in", text("ner")}), truth(true), text("two\nlines")}).Draw(t, "value")
	kinds := []string{"put", "remove", "below"}
	if spot.value.Kind == yaml.SequenceNode {
		kinds = append(kinds, "insert")
	}
	var c edit
	var err error
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "put":
		c, err = putting(at, value)
	case "remove":
		return removing(at)
	case "insert":
		c, err = inserting(at, rapid.IntRange(0, size(spot.value)).Draw(t, "index"), text("new item"))
	case "below":
		if spot.value.Kind != yaml.MappingNode {
			return removing(at)
		}
		c, err = putting(at.plus("added", "deeper"), value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dashLine reports whether a spot is the last key of a mapping that begins on
// the line of a dash, or the only item of a list within one.
func dashLine(s *source, at spot) bool { return at.parent != nil && size(at.parent) == 1 }

// kept holds the comments after an edit against those before.
func kept(t *rapid.T, s *source, at spot, c edit, before, after string) {
	gone := ""
	if c.what == "removing" || collection(at.value) {
		start, end := s.at(at.value), s.end(at.value, indent(at.parent))
		if at.key != nil {
			start = s.at(at.key)
		}
		start, _ = s.lineOf(start)
		_, end = s.lineOf(end)
		gone = before[s.above(start, indent(at.parent)):min(end, len(before))]
		if at.within {
			gone = before[s.at(at.value):s.end(at.value, -1)]
		}
	}
	for _, comment := range commentPattern.FindAllString(before, -1) {
		if !strings.Contains(after, comment) && !strings.Contains(gone, comment) {
			t.Fatalf("%s %s lost %q\n--- before\n%s--- after\n%s", c.what, c.at, comment, before, after)
		}
	}
}
