package hub

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	etag   = "89abcdef0123456789abcdef0123456789abcdef"
	secret = "hf_secretsecretsecret"
	body   = `{"version": "1.0"}`
)

// hubServer answers like the hub, for the file of one model.
func hubServer(t *testing.T, answer http.HandlerFunc) (url string, seen *[]*http.Request) {
	t.Helper()
	seen = new([]*http.Request)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		*seen = append(*seen, r)
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, seen
}

func sendFile(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Repo-Commit", commit)
	w.Header().Set("ETag", `"`+etag+`"`)
	io.WriteString(w, body)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// emptyCache fails when something under the cache looks like a file of a model.
func emptyCache(t *testing.T, home string) {
	t.Helper()
	filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("left in the cache: %s", path)
		}
		return nil
	})
}

func wantKind(t *testing.T, err error, kind Kind, parts ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error is %v, want one of kind %q", err, kind)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not say %q", err, p)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("error %q holds the token", err)
	}
}

func TestLocal(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tokenizer.json")
	os.WriteFile(file, []byte(body), 0o644)
	for _, model := range []string{dir, file} {
		if got, err := File(t.Context(), Options{Offline: true}, model, "tokenizer.json"); err != nil || got != file {
			t.Errorf("File(%q) = %q, %v, want %q", model, got, err, file)
		}
	}
	_, err := File(t.Context(), Options{}, dir, "config.json")
	wantKind(t, err, NotFound, "config.json")
	_, err = File(t.Context(), Options{}, filepath.Join(dir, "absent"), "config.json")
	wantKind(t, err, NotFound, "no such folder")
}

func TestDownloadThenCache(t *testing.T) {
	url, seen := hubServer(t, sendFile)
	o := Options{Endpoint: url, Home: t.TempDir(), Token: secret}
	for range 2 {
		path, err := File(t.Context(), o, "org/name", "sub/tokenizer.json")
		if err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(o.Home, "hub", "models--org--name", "snapshots", commit, "sub", "tokenizer.json")
		if path != want || read(t, path) != body {
			t.Fatalf("File = %q holding %q, want %q holding %q", path, read(t, path), want, body)
		}
	}
	if len(*seen) != 1 {
		t.Errorf("%d requests, want 1: the second answer is in the cache", len(*seen))
	}
	r := (*seen)[0]
	if r.URL.Path != "/org/name/resolve/main/sub/tokenizer.json" || r.Header.Get("Authorization") != "Bearer "+secret {
		t.Errorf("asked for %s with Authorization %q", r.URL.Path, r.Header.Get("Authorization"))
	}
	folder := filepath.Join(o.Home, "hub", "models--org--name")
	if got := read(t, filepath.Join(folder, "refs", "main")); got != commit {
		t.Errorf("refs/main is %q, want %q", got, commit)
	}
	entries, _ := os.ReadDir(filepath.Join(folder, "blobs"))
	if len(entries) != 1 || entries[0].Name() != etag {
		t.Errorf("blobs are %v, want one named %s", entries, etag)
	}
	entries, _ = os.ReadDir(filepath.Join(folder, "snapshots", commit, "sub"))
	if len(entries) != 1 {
		t.Errorf("the snapshot holds %v, want the file alone", entries)
	}
}

func TestCacheOfOthers(t *testing.T) {
	home := t.TempDir()
	folder := filepath.Join(home, "hub", "models--name")
	for file, content := range map[string]string{
		"refs/main": commit + "\n", "refs/refs/pr/1": strings.Repeat("f", 40),
		"snapshots/" + commit + "/config.json": "main", "snapshots/" + strings.Repeat("f", 40) + "/config.json": "pr",
	} {
		path := filepath.Join(folder, filepath.FromSlash(file))
		os.MkdirAll(filepath.Dir(path), 0o755)
		os.WriteFile(path, []byte(content), 0o644)
	}
	for revision, want := range map[string]string{"": "main", "main": "main", commit: "main", "refs/pr/1": "pr"} {
		path, err := File(t.Context(), Options{Home: home, Revision: revision, Offline: true}, "name", "config.json")
		if err != nil || read(t, path) != want {
			t.Errorf("revision %q: %q, %v, want the file holding %q", revision, path, err, want)
		}
	}
	_, err := File(t.Context(), Options{Home: home, Revision: "other", Offline: true}, "name", "config.json")
	wantKind(t, err, Offline)
	if path, err := File(t.Context(), Options{Cache: filepath.Join(home, "hub"), Offline: true}, "name",
		"config.json"); err != nil || read(t, path) != "main" {
		t.Errorf("with Cache: %q, %v", path, err)
	}
}

func TestRevisionInURL(t *testing.T) {
	url, seen := hubServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", etag)
		io.WriteString(w, body)
	})
	home := t.TempDir()
	if _, err := File(t.Context(), Options{Endpoint: url + "/mirror/", Home: home, Revision: commit}, "name",
		"a b.json"); err != nil {
		t.Fatalf("a commit as revision needs no X-Repo-Commit: %v", err)
	}
	if got, want := (*seen)[0].RequestURI, "/mirror/name/resolve/"+commit+"/a%20b.json"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	_, err := File(t.Context(), Options{Endpoint: url, Home: home, Revision: "refs/pr/1"}, "name", "config.json")
	wantKind(t, err, Server, "X-Repo-Commit")
	if got, want := (*seen)[1].RequestURI, "/name/resolve/refs%2Fpr%2F1/config.json"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

func TestOffline(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	for _, o := range []Options{{Endpoint: "http://" + l.Addr().String()}, {Offline: true}} {
		o.Home, o.Token = t.TempDir(), secret
		_, err = File(t.Context(), o, "org/name", "tokenizer.json")
		wantKind(t, err, Offline, "HF_HOME", "--tokenizer builtin")
		_, err = File(t.Context(), o, "org/name", "config.json")
		wantKind(t, err, Offline, "HF_HOME")
		if strings.Contains(err.Error(), "builtin") {
			t.Errorf("%q advises a tokenizer for lack of config.json", err)
		}
		emptyCache(t, o.Home)
	}
}

func TestBadNames(t *testing.T) {
	url, seen := hubServer(t, sendFile)
	o := Options{Endpoint: url, Home: t.TempDir()}
	for _, model := range []string{"", "a/b/c", "a//b", "org/..", "a..b", "a--b", "-a", "a.", "/", "a b", "a\\b",
		"org/näme", "a\x00", strings.Repeat("x", 97), "org/", "a?b", "a%2fb"} {
		_, err := File(t.Context(), o, model, "tokenizer.json")
		var e *Error
		if !errors.As(err, &e) || e.Kind != BadName && model != "/" {
			t.Errorf("model %q: %v", model, err)
		}
	}
	for _, file := range []string{"", "../x", "/x", "a/../../x", "a//b", ".", "a/./b", "a\\b", "c:x", "a/"} {
		_, err := File(t.Context(), o, "name", file)
		wantKind(t, err, BadName)
	}
	for _, revision := range []string{"../x", "/main", "a//b", "a b", ".hidden", "a/..", "x/"} {
		_, err := File(t.Context(), Options{Endpoint: url, Home: o.Home, Revision: revision}, "name", "x")
		wantKind(t, err, BadName, "revision")
	}
	for _, endpoint := range []string{"file:///etc", "hub", "http://"} {
		_, err := File(t.Context(), Options{Endpoint: endpoint, Home: o.Home}, "name", "x")
		wantKind(t, err, BadName, "HF_ENDPOINT")
	}
	if len(*seen) != 0 {
		t.Errorf("%d requests for names that are none", len(*seen))
	}
	emptyCache(t, o.Home)
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	url, _ := hubServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, body)
		w.(http.Flusher).Flush()
		cancel()
		<-release
	})
	defer close(release)
	o := Options{Endpoint: url, Home: t.TempDir()}
	_, err := File(ctx, o, "name", "config.json")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want one that is context.Canceled", err)
	}
	emptyCache(t, o.Home)
}

func TestStall(t *testing.T) {
	release := make(chan struct{})
	url, _ := hubServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, body)
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	home := t.TempDir()
	d := download{options: Options{Endpoint: url, MaxBytes: sizeLimit}, model: "name", file: "config.json",
		repository: repository{filepath.Join(home, "models--name"), "main"}, stall: 20 * time.Millisecond}
	_, err := d.run(t.Context())
	wantKind(t, err, Incomplete, "nothing arrived")
	emptyCache(t, home)
}

func TestConcurrent(t *testing.T) {
	url, _ := hubServer(t, sendFile)
	o := Options{Endpoint: url, Home: t.TempDir()}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			path, err := File(t.Context(), o, "org/name", "tokenizer.json")
			if err != nil {
				t.Error(err)
				return
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != body {
				t.Errorf("read %q, %v", data, err)
			}
		})
	}
	wg.Wait()
	folder := filepath.Join(o.Home, "hub", "models--org--name")
	for _, sub := range []string{"blobs", "refs", filepath.Join("snapshots", commit)} {
		if entries, err := os.ReadDir(filepath.Join(folder, sub)); err != nil || len(entries) != 1 {
			t.Errorf("%s holds %v (%v), want one entry", sub, entries, err)
		}
	}
}

func TestStorage(t *testing.T) {
	url, _ := hubServer(t, sendFile)
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	_, err := File(t.Context(), Options{Endpoint: url, Home: file}, "name", "config.json")
	wantKind(t, err, Storage, "HF_HOME")
}

func TestOptionsFromEnv(t *testing.T) {
	home := t.TempDir()
	os.WriteFile(filepath.Join(home, "token"), []byte("from-file\n"), 0o600)
	other := filepath.Join(home, "other")
	os.WriteFile(other, []byte("from-other"), 0o600)
	for _, c := range []struct {
		env  map[string]string
		want Options
	}{
		{nil, Options{}},
		{map[string]string{"HF_TOKEN": " a\n", "HUGGING_FACE_HUB_TOKEN": "b", "HF_HOME": home},
			Options{Token: "a", Home: home}},
		{map[string]string{"HUGGING_FACE_HUB_TOKEN": "b", "HF_HOME": home}, Options{Token: "b", Home: home}},
		{map[string]string{"HF_HOME": home}, Options{Token: "from-file", Home: home}},
		{map[string]string{"HF_HOME": home, "HF_TOKEN_PATH": other}, Options{Token: "from-other", Home: home}},
		{map[string]string{"HF_HUB_CACHE": "/c", "HF_ENDPOINT": "http://x", "HF_HUB_OFFLINE": "true"},
			Options{Cache: "/c", Endpoint: "http://x", Offline: true}},
		{map[string]string{"HF_HUB_OFFLINE": "0", "HOME": "/h"},
			Options{Home: filepath.Join("/h", ".cache", "huggingface"),
				Kept: filepath.Join("/h", ".cache", "headway", "tokenizers")}},
		{map[string]string{"XDG_CACHE_HOME": "/x", "HOME": "/h"}, Options{Home: filepath.Join("/x", "huggingface"),
			Kept: filepath.Join("/x", "headway", "tokenizers")}},
		{map[string]string{"XDG_CACHE_HOME": "/x", "HEADWAY_TOKENIZER_CACHE": "Off"},
			Options{Home: filepath.Join("/x", "huggingface")}},
		{map[string]string{"HEADWAY_TOKENIZER_CACHE": "/k"}, Options{Kept: "/k"}},
	} {
		if got := OptionsFromEnv(func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("OptionsFromEnv(%v)\n got  %+v\n want %+v", c.env, got, c.want)
		}
	}
}

func TestEveryKindSaysWhatToDo(t *testing.T) {
	for k := NotFound; k <= Storage; k++ {
		e := &Error{Model: "m", File: "f", Kind: k}
		if k.String() == "unknown" || e.advice() == "" {
			t.Errorf("kind %d: %q", k, e)
		}
	}
}
