package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What has two readings is refused with its line.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"octal", "isl: 1\nosl: 010\n", "line 2: osl: numbers are decimal"},
		{"octal with an o", "isl: 0o10\n", "line 1: isl: numbers are decimal"},
		{"hexadecimal", "isl: 0x10\n", "line 1: isl: numbers are decimal"},
		{"underscores", "isl: 1_000\n", "line 1: isl: numbers are decimal"},
		{"a digit that is not octal", "isl: 08\n", "line 1: isl: numbers are decimal"},
		{"octal in a list", "isl:\n- 1\n- 010\n", "line 3: isl: numbers are decimal"},
		{"octal in a mapping", "x:\n  a:\n  - b: 010\n", "line 3: x: numbers are decimal"},
		{"second document", "isl: 1\n---\nisl: 2\n", "line 2: a second document"},
		{"second document that is broken", "isl: 1\n---\n[", "line 3: not YAML"},
		{"no value", "isl:\n", "line 1: isl: has no value"},
		{"null in a list", "isl: [1, ~]\n", "line 1: isl: has no value"},
		{"empty list", "isl: []\n", "line 1: isl: an empty list"},
		{"list in a list", "isl: [[1]]\n", "line 1: isl: a list in a list"},
		{"merge", "<<: {a: 1}\n", "line 1: <<: options are not merged in"},
		{"alias of a list", "a: &x [1]\nb: *x\n", "line 2: b: *x stands for more"},
		{"alias of nothing", "a: *x\n", "not YAML: unknown anchor 'x' referenced"},
		{"tag", "a: !secret 1\n", "line 1: a: !secret: values have no tags"},
		{"binary", "a: !!binary aGk=\n", "line 1: a: !!binary: values have no tags"},
		{"key that is a list", "[a]: 1\n", "line 1: not the name of an option"},
		{"key twice in a mapping", "x: {a: 1, a: 2}\n", "line 1: x: a is set twice"},
		{"no number of JSON", "x: {a: .inf}\n", "line 1: x: .inf: JSON has no such number"},
		{"a list of options", "- isl\n", "line 1: options are written as"},
		{"text", "isl\n", "line 1: options are written as"},
		{"tab", "a:\n\tb: 1\n", "line 2: a tab before the text"},
		{"not UTF-8", "a: 1\nb: \xff\n", "line 2: not text in UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "UTF-16: save it as UTF-8"},
		{"not closed", "a: 1\nb: [1\n", "line 2: not YAML"},
	} {
		if _, err := Parse([]byte(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s…", tt.name, err, tt.want)
		}
	}
}

// A number that may be a secret is in no error.
func TestValuesAreNotTold(t *testing.T) {
	if _, err := Parse([]byte("api-key: 0123456\n")); err == nil || strings.Contains(err.Error(), "123456") {
		t.Errorf("error %v", err)
	}
}

func TestParse(t *testing.T) {
	const text = "\xef\xbb\xbf# options\r\n" +
		"request_count: 12\r\nplots: no\r\nrate: 1e3\r\nname: \"010\"\r\nempty: \"\"\r\n" +
		"when: 2001-01-01\r\nlevels: [1, 2]\r\nheader:\r\n  - \"A: b\"\r\nextra: {b: [1, null, yes], a: 1e300, big: " +
		"12345678901234567890, half: .5, t: True}\r\n" +
		"anchor: &x 5\r\nalias: *x\r\nlast: a: b\r\n"
	settings, err := Parse([]byte(strings.Replace(text, "last: a: b", "last: 'a: b'", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range settings {
		value := s.Text
		if s.Kind == List {
			value = strings.Join(s.List, "|")
		}
		got = append(got, s.Name+"="+value)
	}
	want := `request-count=12 plots=no rate=1e3 name=010 empty= when=2001-01-01 levels=1|2 header=A: b ` +
		`extra={"a":1e300,"b":[1,null,"yes"],"big":12345678901234567890,"half":0.5,"t":true} anchor=5 alias=5 last=a: b`
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if s := settings[0]; s.Key != "request_count" || s.Line != 2 {
		t.Errorf("%+v", s)
	}
	for _, nothing := range []string{"", "\n", "# a comment\n", "---\n", "~\n", "\xef\xbb\xbf"} {
		if s, err := Parse([]byte(nothing)); s != nil || err != nil {
			t.Errorf("%q: %v, %v", nothing, s, err)
		}
	}
}

func TestTwice(t *testing.T) {
	options := Options{{"request-count", "num-requests"}, {"isl"}, {"count", "num-requests"}}
	settings, err := Parse([]byte("request-count: 1\nisl: 3\nrequest_count: 2\nnum_requests: 4\nisl: 3\nother: " +
		"1\nother: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, err := range Twice(settings, options) {
		got = append(got, err.Error())
	}
	for i, want := range []string{"line 3: request_count: line 1 ", "line 4: num_requests: line 1 ",
		"line 5: isl: line 2 ", "line 7: other: line 6 "} {
		if len(got) != 4 || !strings.HasPrefix(got[i], want) {
			t.Fatalf("%q, want %s…", got, want)
		}
	}
}

// A file without an end costs no more than MaxSize.
func TestLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, make([]byte, MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("a large file: %v", err)
	}
	for _, other := range []string{t.TempDir(), "/dev/zero"} {
		if _, err := Read(other); err == nil {
			t.Errorf("%s was read", other)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, good := range []string{"0", "10", "-3", "+4", "1.5", ".5", "5.", "1e308", "1E-3", "0.0", "inf", "text", "",
		"1,2", "2m", "500ms", "a010", "10.0.0.1"} {
		if err := Decimal(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"010", "00", "-07", "08.5", "1_0", "0x1F", "0x1p-2", "0b1", "0o7", "1_0e3", "007e1"} {
		if Decimal(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestExpandHome(t *testing.T) {
	env := func(name string) string { return map[string]string{"HOME": "/home/me"}[name] }
	for in, want := range map[string]string{"": "", "a/~": "a/~", "~": "/home/me", "~/": "/home/me",
		"~/a b": "/home/me/a b", "/~": "/~"} {
		if got, err := ExpandHome(in, env); got != filepath.FromSlash(want) || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := ExpandHome("~other/a", env); err == nil || !strings.Contains(err.Error(), "./~other/a") {
		t.Errorf("another's home: %v", err)
	}
	if _, err := ExpandHome("~/a", func(string) string { return "" }); err == nil {
		t.Error("a home without HOME")
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"islx": "isl", "concurency": "concurrency", "zzzzzzzz": ""} {
		if got := Nearest(name, []string{"isl", "osl", "concurrency"}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// FuzzParse: no file makes the reader panic, what it takes has a name and a
// value, and lists and mappings are what they say they are.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"isl: 010\n", "a: [1, {b: c}]\n---\nb: 1", "a: &x 1\nb: *x\n", "<<: *x", "a: !!binary x",
		"\xef\xbb\xbfa: 'b'\r\n",
		"a: |\n  text\n", "? [a]\n: b\n", "a: {b: {c: [1e400, .nan, ~]}}", "\ta: 1", "a: &a [*a]", "---\n...\n",
		"a: \"\\x00\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		settings, err := Parse(data)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q: refused without a word", data)
			}
			return
		}
		for _, s := range settings {
			switch {
			case s.Key == "" || s.Line < 1 || s.Kind == List && len(s.List) == 0:
				t.Errorf("%q: %+v", data, s)
			case s.Kind == Mapping && !json.Valid([]byte(s.Text)):
				t.Errorf("%q: %s is no JSON", data, s.Text)
			}
		}
	})
}
