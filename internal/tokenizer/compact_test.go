package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// compacted is a fixture by way of its compact form.
func compacted(t *testing.T, file string) *Tokenizer {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := open(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.build(); err != nil {
		t.Fatal(err)
	}
	dir, source := t.TempDir(), sha256.Sum256(data)
	if err := d.keep(dir, source); err != nil {
		t.Fatal(err)
	}
	mapped, err := mapFile(compactName(dir, source))
	if err != nil {
		t.Fatal(err)
	}
	if d, err = readCompact(mapped, source); err != nil {
		t.Fatal(err)
	}
	c, err := d.build()
	if err != nil {
		t.Fatal(err)
	}
	if want := fingerprint(data); c.fingerprint != want {
		t.Errorf("fingerprint %s, want %s", c.fingerprint, want)
	}
	c.findEnds(nil)
	return &Tokenizer{file, c}
}

// What is kept of a tokenizer.json counts as the file itself does.
func TestCompactAgreesWithReference(t *testing.T) {
	for _, file := range fixtures(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".tokenizer.json")
		t.Run(name, func(t *testing.T) {
			tok := compacted(t, file)
			checkGolden(t, tok, filepath.Join("testdata", name+".golden.json"))
			own, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			own.core.findEnds(nil)
			if own.core.bos != tok.core.bos || own.core.eos != tok.core.eos || own.VocabSize() != tok.VocabSize() ||
				!slices.Equal(own.FewWords(100), tok.FewWords(100)) {
				t.Error("ends, size or words differ")
			}
		})
	}
}

// largeFile is a tokenizer.json that is worth keeping, made of a fixture.
func largeFile(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/llama3.tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tokenizer.json")
	data = append(bytes.Repeat([]byte(" "), int(leastCompact)), data...)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func keptFiles(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A file that is torn, of another version or of something else is made again, and
// nothing but whole files lies in the folder.
func TestDamagedCompactFiles(t *testing.T) {
	file, dir := largeFile(t), filepath.Join(t.TempDir(), "kept")
	load := func() {
		t.Helper()
		tok, err := LoadKept(file, dir)
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, tok, "testdata/llama3.golden.json")
	}
	load()
	names := keptFiles(t, dir)
	if len(names) != 1 || !strings.HasSuffix(names[0], compactEnding) {
		t.Fatalf("kept: %v", names)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int) []byte {
		b := slices.Clone(whole)
		b[at] ^= 1
		return b
	}
	for what, text := range map[string][]byte{
		"half": whole[:len(whole)/2], "empty": nil, "header": whole[:headerSize],
		"longer":       append(slices.Clone(whole), 0),
		"another kind": changed(0), "another version": changed(8), "another machine": changed(12),
		"another source": changed(16), "another text": changed(len(whole) - 1), "a bit": changed(headerSize + 100),
		"no tokenizer": []byte(strings.Repeat("x", len(whole))),
	} {
		// What was mapped keeps its bytes: a file is replaced and not written over.
		if err := os.Remove(names[0]); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(names[0], text, 0o600); err != nil {
			t.Fatal(err)
		}
		if d := findCompact(file, dir); d != nil {
			t.Errorf("%s: it was taken", what)
		}
		load()
		if now, err := os.ReadFile(names[0]); err != nil || !bytes.Equal(now, whole) {
			t.Errorf("%s: not made again (%v)", what, err)
		}
	}
}

// Without a folder that can be written to, and without one, the file itself is read.
func TestNothingKept(t *testing.T) {
	file := largeFile(t)
	if tok, err := LoadKept(file, filepath.Join(file, "below-a-file")); err != nil || tok.Count("a b") == 0 {
		t.Error(err)
	}
	small := t.TempDir()
	if _, err := LoadKept("testdata/gpt2.tokenizer.json", small); err != nil || len(keptFiles(t, small)) > 0 {
		t.Errorf("%v, kept: %v", err, keptFiles(t, small))
	}
	if _, err := LoadKept(filepath.Join(small, "none.json"), small); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = inner.Unwrap()
	}
}

// Processes that start at once do not see each other's halves.
func TestCompactFilesAtOnce(t *testing.T) {
	file, dir := largeFile(t), t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if tok, err := LoadKept(file, dir); err != nil || tok.Count("Hello") == 0 {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if names := keptFiles(t, dir); len(names) != 1 {
		t.Errorf("kept: %v", names)
	}
}

// The folder does not grow without end.
func TestCompactFilesAreFew(t *testing.T) {
	file, dir := largeFile(t), t.TempDir()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for range mostCompact + 3 {
		text = append(text, ' ')
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKept(file, dir); err != nil {
			t.Fatal(err)
		}
	}
	if names := keptFiles(t, dir); len(names) != mostCompact {
		t.Errorf("%d files are kept, want %d", len(names), mostCompact)
	}
	if findCompact(file, dir) == nil {
		t.Error("the newest is not among them")
	}
}

// FuzzCut: what is cut out of a document and put back is that document.
func FuzzCut(f *testing.F) {
	for _, s := range []string{`{"model":{"vocab":{"a":0},"merges":["a b"]}}`,
		`{"model" : { "vocab" : [ ["a",-1] ] } }`, `{"model":{"vocab":{"\"}":0}}}`, `{"model":null}`, `{}`, `[`,
		`{"a":[{"model":{"vocab":{}}}]}`, `{"model":{"vocab":{},"vocab":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rest, l, err := cut(data)
		if !json.Valid(data) {
			return // whatever is left is read by a parser
		}
		if err != nil {
			if err == errTwice || data[0] != '{' {
				return
			}
			var object map[string]json.RawMessage
			if json.Unmarshal(data, &object) == nil && object != nil {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		if !json.Valid(rest) {
			t.Fatalf("%q: left %q", data, rest)
		}
		for _, list := range [][]byte{l.vocab, l.merges} {
			if list != nil && !json.Valid(list) {
				t.Fatalf("%q: cut out %q", data, list)
			}
		}
		if want := len(data) - max(0, len(l.vocab)-2) - max(0, len(l.merges)-2); len(rest) != want {
			t.Fatalf("%q: %d bytes left, want %d", data, len(rest), want)
		}
	})
}
