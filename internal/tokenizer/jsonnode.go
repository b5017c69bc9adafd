package tokenizer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/valyala/fastjson"
)

// node is a value of a tokenizer.json and where it stands. The first thing
// found wrong is kept in the shared problem; what is read after that is zero
// values, so that reading code needs to look for an error only once.
type node struct {
	value   *fastjson.Value
	path    string
	problem *error
}

func (n node) fail(format string, args ...any) {
	if *n.problem == nil {
		*n.problem = fmt.Errorf("%s: %w", n.path, fmt.Errorf(format, args...))
	}
}

// null is true for a value that is not there, too.
func (n node) null() bool { return n.value == nil || n.value.Type() == fastjson.TypeNull }

func (n node) get(key string) node {
	path := key
	if n.path != "" {
		path = n.path + "." + key
	}
	if n.value == nil {
		return node{nil, path, n.problem}
	}
	return node{n.value.Get(key), path, n.problem}
}

// only fails when an object has a member that is not in keys: an option that is
// not known may change every id.
func (n node) only(keys ...string) {
	if n.value == nil {
		n.fail("is missing")
		return
	}
	o, err := n.value.Object()
	if err != nil {
		n.fail("want an object, found %s", n.value.Type())
		return
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		if v.Type() != fastjson.TypeNull && !slices.Contains(keys, string(key)) {
			n.fail("option %q is not supported", key)
		}
	})
}

// kind returns the "type" of a component, "" when there is none.
func (n node) kind() string {
	if n.null() {
		return ""
	}
	return n.get("type").text("")
}

func (n node) text(absent string) string {
	if n.null() {
		return absent
	}
	b, err := n.value.StringBytes()
	if err != nil {
		n.fail("want a string, found %s", n.value.Type())
		return absent
	}
	return string(b)
}

func (n node) flag(absent bool) bool {
	if n.null() {
		return absent
	}
	b, err := n.value.Bool()
	if err != nil {
		n.fail("want true or false, found %s", n.value.Type())
		return absent
	}
	return b
}

// number reads an integer from 0 to limit.
func (n node) number(absent, limit int) int {
	if n.null() {
		return absent
	}
	i, err := n.value.Int()
	if err != nil || i < 0 || i > limit {
		n.fail("want a whole number from 0 to %d, found %s", limit, shortened(n.value))
		return absent
	}
	return i
}

// items returns the elements of an array; a missing one has none.
func (n node) items() []node {
	if n.null() {
		return nil
	}
	values, err := n.value.Array()
	if err != nil {
		n.fail("want a list, found %s", n.value.Type())
		return nil
	}
	nodes := make([]node, len(values))
	for i, v := range values {
		nodes[i] = n.at(i)
		nodes[i].value = v
	}
	return nodes
}

// at is element i of a list, without its value.
func (n node) at(i int) node { return node{nil, fmt.Sprintf("%s[%d]", n.path, i), n.problem} }

func shortened(v *fastjson.Value) string {
	if v == nil {
		return "nothing"
	}
	s := v.String()
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// errNoTokenizer is the answer to a file that is JSON and something else.
var errNoTokenizer = errors.New(`no "model": this is not a tokenizer.json`)
