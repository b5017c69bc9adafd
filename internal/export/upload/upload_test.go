package upload

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/klauspost/compress/zstd"
)

// storage keeps what is put, after a number of refusals.
type storage struct {
	mu       sync.Mutex
	refuse   []int // statuses of the first answers
	asked    int
	objects  map[string][]byte
	azure    string
	withSize bool
}

func (s *storage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.asked <= len(s.refuse) {
		w.WriteHeader(s.refuse[s.asked-1])
		return
	}
	if r.Method != http.MethodPut || r.URL.Query().Get("sig") != "very-secret" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.objects[r.URL.Path] = body
	s.withSize = r.ContentLength == int64(len(body))
	s.azure = r.Header.Get("X-Ms-Blob-Type")
}

func folder(t *testing.T) (dir string, files map[string]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	files = map[string]string{"records.jsonl": strings.Repeat("line\n", 1000), "plots/a b.svg": "<svg/>",
		"empty.csv": ""}
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, files
}

func stays(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is no longer what it was: %v", name, err)
		}
	}
}

func TestArchive(t *testing.T) {
	s := &storage{refuse: []int{503, 500}, objects: map[string][]byte{}}
	server := httptest.NewServer(s)
	defer server.Close()
	dir, files := folder(t)
	n, _, err := Upload{URL: server.URL + "/bucket/key.tar.zst?sig=very-secret", Dir: dir, Pause: 1}.Send(t.Context())
	if err != nil || n != 1 || !s.withSize || s.asked != 3 {
		t.Fatalf("%d objects in %d tries, length %v: %v", n, s.asked, s.withSize, err)
	}
	z, err := zstd.NewReader(bytes.NewReader(s.objects["/bucket/key.tar.zst"]))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	got := map[string]string{}
	for in := tar.NewReader(z); ; {
		head, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got[strings.TrimPrefix(head.Name, "run/")] = string(text)
	}
	for name, want := range files {
		if got[name] != want {
			t.Errorf("%s is not in the archive as it was", name)
		}
	}
	stays(t, dir, files)
}

func TestEachFile(t *testing.T) {
	s := &storage{objects: map[string][]byte{}}
	server := httptest.NewServer(s)
	defer server.Close()
	dir, files := folder(t)
	n, _, err := Upload{URL: server.URL + "/c/{file}?sig=very-secret", Dir: dir}.Send(t.Context())
	if err != nil || n != len(files) {
		t.Fatalf("%d objects: %v", n, err)
	}
	for name, want := range files {
		if string(s.objects["/c/"+name]) != want {
			t.Errorf("%s did not arrive: %v", name, s.objects)
		}
	}
}

// What does not change is not tried again, what fails is tried so often and no more,
// and no error shows the address.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		refuse      []int
		asked       int
		want        string
	}{
		{"expired", "sig=very-secret-old", nil, 1, "has expired"},
		{"not found", "sig=very-secret", []int{404}, 1, "HTTP 404"},
		{"broken", "sig=very-secret", []int{500, 500, 500, 500, 500, 500}, 5, "HTTP 500"},
		{"redirect", "sig=very-secret", []int{307}, 1, "HTTP 307"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &storage{refuse: tt.refuse, objects: map[string][]byte{}}
			server := httptest.NewServer(s)
			defer server.Close()
			dir, files := folder(t)
			_, _, err := Upload{URL: server.URL + "/k?" + tt.query, Dir: dir, Pause: 1}.Send(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || s.asked != tt.asked ||
				strings.Contains(err.Error(), "very-secret") {
				t.Errorf("%d tries: %v", s.asked, err)
			}
			stays(t, dir, files)
		})
	}
}

// Storage that is down is tried with pauses that double, and then given up.
func TestDown(t *testing.T) {
	dir, _ := folder(t)
	synctest.Test(t, func(t *testing.T) {
		_, _, err := Upload{URL: "http://127.0.0.1:1/k?sig=very-secret", Dir: dir}.Send(t.Context())
		if err == nil || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("got %v", err)
		}
	})
}
