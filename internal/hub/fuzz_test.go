package hub

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzNames: no name that is accepted leads out of the cache.
func FuzzNames(f *testing.F) {
	for _, s := range [][3]string{{"org/name", "main", "tokenizer.json"}, {"..", "../..", "../x"},
		{"a--b", "refs/pr/1", "a/b/c.json"}, {"a/b/c", "/", "c:\\x"}, {"a.", ".", "."}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, model, revision, file string) {
		if checkNames(model, revision) != "" || !validFile(file) {
			return
		}
		const cache = "/cache"
		r := repository{filepath.Join(cache, folderName(model)), revision}
		if filepath.Dir(r.folder) != cache {
			t.Errorf("model %q lies in %s", model, r.folder)
		}
		for path, in := range map[string]string{r.ref(): "refs",
			r.snapshot(commit, file): filepath.Join("snapshots", commit)} {
			if !strings.HasPrefix(path, filepath.Join(r.folder, in)+"/") {
				t.Errorf("model %q, revision %q, file %q: %s leads out of %s", model, revision, file, path, in)
			}
		}
	})
}

// FuzzTag: no entity tag that is used leads out of the blobs.
func FuzzTag(f *testing.F) {
	for _, s := range []string{`W/"abc"`, `"../x"`, `""`, `".."`, etag} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		if name := plainTag(tag); name != "" &&
			(!filepath.IsLocal(name) || filepath.Base(name) != name || name == ".") {
			t.Errorf("tag %q is the file %q", tag, name)
		}
	})
}
