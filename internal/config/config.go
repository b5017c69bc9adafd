// Package config reads files of options: one YAML document that is a mapping
// from the names of options to their values.
//
// YAML gives one text several meanings, and takes much for granted in silence:
// of two equal keys one wins, a second document is not looked at, 010 is eight.
// A measurement made with options that nobody meant is wrong without a trace, so
// whatever has two readings is refused, with its line. Data flows from bytes to
// [Setting]; what an option's value means is the caller's affair, and so are
// paths and environment variables.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"headway/internal/bound"
)

// MaxSize is how large a file of options may be, in bytes. Those that people
// write have a few hundred; /dev/zero has no end.
const MaxSize = 1 << 20

// Setting is one option that a file sets.
type Setting struct {
	// Key is the name as it stands there, Name with hyphens for underscores.
	Key, Name string
	// Line counts from 1.
	Line int
	// Kind says which of the others is set.
	Kind Kind
	// Text is the value as it was written, without quotes. Of a Mapping it is
	// JSON.
	Text string
	// List are the elements, never none; one that is a mapping is JSON, and
	// Mappings says that there is such a one.
	List     []string
	Mappings bool
}

// Kind is the shape of a value.
type Kind uint8

// The shapes that a value may have.
const (
	Scalar Kind = iota
	List
	Mapping
)

// Fault is what is wrong at a line.
type Fault struct {
	Line int // 0 is the whole file
	Err  error
}

// Error says the line first, as compilers do.
func (f *Fault) Error() string {
	if f.Line == 0 {
		return f.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", f.Line, f.Err)
}

// Unwrap gives what is wrong there.
func (f *Fault) Unwrap() error { return f.Err }

func fault(line int, format string, args ...any) error {
	return &Fault{line, fmt.Errorf(format, args...)}
}

// Read reads the options of a file. Every error that is about a line is a
// [Fault], and all of them are joined.
func Read(path string) ([]Setting, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// ReadSections is Sections for a file.
func ReadSections(path string) ([]Setting, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	return Sections(data)
}

// load reads a file that should be small.
func load(path string) ([]byte, error) {
	f, err := bound.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// Parse is Read for a file's bytes.
func Parse(data []byte) ([]Setting, error) {
	root, err := document(data)
	if err != nil || root == nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, fault(root.Line, "options are written as \"option: value\", one a line")
	}
	var settings []Setting
	var bad []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		s, err := setting(root.Content[i], root.Content[i+1])
		if err != nil {
			bad = append(bad, err)
		}
		if s.Key != "" {
			settings = append(settings, s)
		}
	}
	return settings, errors.Join(bad...)
}

// sectionDepth is how deep sections may lie in sections.
const sectionDepth = 2

// Sections is Parse for a file whose options stand below the names of sections:
// the Name of each is "section.option", or "option" where it stands alone.
// Options without a value are left out.
//
// Sections may have sections, as deployment.modelCache of Dynamo's profiler does.
func Sections(data []byte) ([]Setting, error) {
	root, err := document(data)
	if err != nil || root == nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, fault(root.Line, "options are written as \"option: value\", below their sections")
	}
	var settings []Setting
	var bad []error
	add := func(section string, key, value *yaml.Node) {
		if value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
			return
		}
		s, err := setting(key, value)
		s.Key, s.Name = section+s.Key, section+s.Name
		settings, bad = append(settings, s), append(bad, err)
	}
	var below func(section string, n *yaml.Node, depth int)
	below = func(section string, n *yaml.Node, depth int) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if value.Kind == yaml.MappingNode && depth < sectionDepth {
				below(section+key.Value+".", value, depth+1)
				continue
			}
			add(section, key, value)
		}
	}
	below("", root, 0)
	return settings, errors.Join(append(bad, Twice(settings, nil)...)...)
}

// document is the root of the only document in data; nil where there is nothing
// in it.
func document(data []byte) (*yaml.Node, error) {
	switch {
	case len(data) > MaxSize:
		return nil, fault(0, "larger than %d bytes: not a file of options", MaxSize)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, fault(0, "UTF-16: save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if at := firstInvalid(data); at >= 0 {
		return nil, fault(1+bytes.Count(data[:at], []byte{'\n'}), "not text in UTF-8")
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := reader.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, unreadable(data, err)
	}
	switch err := reader.Decode(&second); {
	case err == nil:
		return nil, fault(second.Line, "a second document begins here (---): write all options into one, "+
			"or give each its own file")
	case !errors.Is(err, io.EOF):
		return nil, unreadable(data, err)
	}
	root := first.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || r == 0 {
			return i
		}
		i += n
	}
	return -1
}

var tabIndent = regexp.MustCompile(`^ *\t[ \t]*[^ \t\r]`)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// unreadable says of an error of the YAML reader where it is. A tab has its own
// words: the reader's are about tokens.
func unreadable(data []byte, err error) error {
	for i, line := range strings.Split(string(data), "\n") {
		if tabIndent.MatchString(line) {
			return fault(i+1, "a tab before the text: YAML is indented with spaces")
		}
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return fault(0, "not YAML: %w", err)
	}
	line := 0
	_, _ = fmt.Sscan(m[1], &line) // "" leaves it 0
	if strings.HasPrefix(m[2], "did not find expected") {
		// The reader counts the lines of its parser from 0, those of its scanner
		// from 1.
		line = min(line+1, 1+bytes.Count(bytes.TrimRight(data, "\r\n"), []byte{'\n'}))
	}
	return fault(line, "not YAML: %s", m[2])
}

// setting reads one line of the mapping. Its Key is empty where that cannot be
// one.
func setting(key, value *yaml.Node) (Setting, error) {
	switch {
	case key.Tag == "!!merge":
		return Setting{}, fault(key.Line, "<<: options are not merged in: write them out")
	case key.Kind != yaml.ScalarNode || key.Value == "":
		return Setting{}, fault(key.Line, "not the name of an option")
	}
	s := Setting{Key: key.Value, Name: strings.ReplaceAll(key.Value, "_", "-"), Line: key.Line}
	err := s.take(value)
	var f *Fault
	if errors.As(err, &f) {
		err = &Fault{f.Line, fmt.Errorf("%s: %w", s.Key, f.Err)}
	}
	return s, err
}

// take reads the value.
func (s *Setting) take(n *yaml.Node) (err error) {
	switch n.Kind {
	case yaml.SequenceNode:
		s.Kind = List
		if len(n.Content) == 0 {
			return fault(n.Line, "an empty list: leave the line out")
		}
		for _, e := range n.Content {
			text, err := element(e)
			if err != nil {
				return err
			}
			s.List = append(s.List, text)
			s.Mappings = s.Mappings || e.Kind == yaml.MappingNode
		}
	case yaml.MappingNode:
		s.Kind, s.Mappings = Mapping, true
		s.Text, err = object(n)
	default:
		s.Text, err = scalar(n)
	}
	return err
}

// Twice are the faults of options that are set a second time, by whichever of
// their names. Settings whose name no option has are not looked at.
func Twice(settings []Setting, options Options) []error {
	var bad []error
	for i, s := range settings {
		earlier := slices.IndexFunc(settings[:i], func(e Setting) bool {
			return e.Name == s.Name || options.Same(e.Name, s.Name)
		})
		if earlier >= 0 {
			e := settings[earlier]
			bad = append(bad, fault(s.Line, "%s: line %d sets this option already (%s): leave one of them",
				s.Key, e.Line, e.Key))
		}
	}
	return bad
}
