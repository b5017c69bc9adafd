package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// refusalsCases are the cases of TestRefusals.
var refusalsCases = []struct {
	name   string
	answer http.HandlerFunc
	kind   Kind
	parts  []string
}{
	{"missing", status(404), NotFound, []string{"404", "main"}},
	{"unauthorised", status(401), Unauthorized, []string{"HF_TOKEN", "licence"}},
	{"gated", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Error-Code", "GatedRepo")
		w.WriteHeader(403)
	}, Unauthorized, []string{"GatedRepo"}},
	{"busy", status(503), Server, []string{"503"}},
	{"limited", status(429), Server, []string{"429"}},
	{"no commit", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", etag)
		io.WriteString(w, body)
	}, Server, []string{"X-Repo-Commit"}},
	{"commit that is a path", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Repo-Commit", "../../../../etc")
		w.Header().Set("ETag", etag)
		io.WriteString(w, body)
	}, Server, []string{"X-Repo-Commit"}},
	{"tag that is a path", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", `"../../evil"`)
		io.WriteString(w, body)
	}, Server, []string{"tag"}},
	{"encoded", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Encoding", "br")
		io.WriteString(w, body)
	}, Server, []string{"encoded"}},
	{"circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		Server, []string{"circles"}},
	{"truncated", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		sendFile(w, r)
	}, Incomplete, []string{"try again"}},
	{"shorter than the hub says", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Linked-Size", "1000")
		w.Header().Set("Transfer-Encoding", "chunked")
		sendFile(w, r)
	}, Incomplete, []string{"18 of 1000 bytes"}},
	{"larger than may be", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Linked-Size", "5000")
		sendFile(w, r)
	}, Server, []string{"4.9 KiB", "max-download-bytes"}},
	{"without a size or an end", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", etag)
		w.WriteHeader(http.StatusOK)
		for _, err := io.WriteString(w, body); err == nil; _, err = io.WriteString(w, body) {
		}
	}, Incomplete, []string{"larger than its bound", "max-download-bytes"}},
	{"damaged", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Linked-Etag", `"`+strings.Repeat("0", 64)+`"`)
		sendFile(w, r)
	}, Incomplete, []string{"digest"}},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusalsCases {
		t.Run(c.name, func(t *testing.T) {
			url, _ := hubServer(t, c.answer)
			o := Options{Endpoint: url, Home: t.TempDir(), Token: secret, MaxBytes: 4000}
			_, err := File(t.Context(), o, "org/name", "tokenizer.json")
			wantKind(t, err, c.kind, append(c.parts, "org/name", "tokenizer.json")...)
			emptyCache(t, o.Home)
		})
	}
}

func TestLargeFileFromOtherHost(t *testing.T) {
	sum := sha256.Sum256([]byte(body))
	digest := hex.EncodeToString(sum[:])
	store, storeSeen := hubServer(t, func(w http.ResponseWriter, _ *http.Request) {
		// What the store says of commits and sizes must not count.
		w.Header().Set("X-Repo-Commit", strings.Repeat("9", 40))
		w.Header().Set("X-Linked-Size", "3")
		w.Header().Set("ETag", "other")
		io.WriteString(w, body)
	})
	url, seen := hubServer(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/old/") {
			http.Redirect(w, r, "/org/name/resolve/main/tokenizer.json", http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("X-Linked-Etag", `"`+digest+`"`)
		w.Header().Set("X-Linked-Size", "18")
		http.Redirect(w, r, store+"/blob?signature=xyz", http.StatusFound)
	})
	o := Options{Endpoint: url, Home: t.TempDir(), Token: secret}
	path, err := File(t.Context(), o, "old/name", "tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil || filepath.Base(target) != digest || !strings.Contains(path, commit) {
		t.Errorf("file is %s, a link to %s (%v); want the commit %s and the blob %s", path, target, err, commit, digest)
	}
	for _, r := range *seen {
		if r.Header.Get("Authorization") == "" {
			t.Errorf("%s was asked for without the token", r.URL)
		}
	}
	for _, r := range *storeSeen {
		if a := r.Header.Get("Authorization"); a != "" {
			t.Errorf("the store was sent %q", a)
		}
	}
	if len(*seen) != 2 || len(*storeSeen) != 1 {
		t.Errorf("%d and %d requests, want 2 to the hub and 1 to the store", len(*seen), len(*storeSeen))
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Hosts that Go's own redirect rules would send the token to.
func TestTokenStaysAtHome(t *testing.T) {
	for _, to := range []string{"https://cdn.hub.test/x", "http://hub.test/x", "https://hub.test:8443/x",
		"https://hub.test.evil.test/x"} {
		var got []string
		o := Options{Endpoint: "https://hub.test", Home: t.TempDir(), Token: secret,
			Client: &http.Client{Transport: roundTripper(
				func(r *http.Request) (*http.Response, error) {
					got = append(got, r.Header.Get("Authorization"))
					if len(got) == 1 {
						return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {to}},
							Body: http.NoBody, Request: r}, nil
					}
					return nil, errors.New("no route")
				})}}
		_, err := File(t.Context(), o, "org/name", "tokenizer.json")
		wantKind(t, err, Offline, "no route")
		if !slices.Equal(got, []string{"Bearer " + secret, ""}) {
			t.Errorf("redirected to %s: sent %q", to, got)
		}
	}
}

func TestErrorsHideSignedURLs(t *testing.T) {
	url, _ := hubServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/x?signature=sesame", http.StatusFound)
	})
	_, err := File(t.Context(), Options{Endpoint: url, Home: t.TempDir()}, "name", "config.json")
	wantKind(t, err, Offline, "cannot reach 127.0.0.1:1")
	if strings.Contains(err.Error(), "sesame") {
		t.Errorf("error %q holds the signature of a URL", err)
	}
}
