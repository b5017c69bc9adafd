package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/page"
	"headway/internal/study"
	"headway/internal/study/pages"
)

// mostBeside are laid over one another in one picture.
const mostBeside = 12

// Results shows what lies in a folder and below it: a list, each result, and several
// laid over one another. It reads only. What can be opened is what the list has, so
// that no path of a request reaches the file system.
type Results struct {
	// Dir is the folder.
	Dir string
	// Read reads what lies in a folder of a result.
	Read func(dir string) (*study.Disk, error)
	// Kinds say of files, by their names, of what kind the result is in whose folder
	// they lie, beyond runs, sweeps and comparisons; it may be nil.
	Kinds map[string]string
	// Version is that of the program.
	Version string

	cache cache
	// making is held while a page is made of records, which may take the memory of one
	// run: pages are made one after the other.
	making chan struct{}
}

// Handler serves the pages.
func (s *Results) Handler() http.Handler {
	s.making = make(chan struct{}, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /open", s.open)
	mux.HandleFunc("GET /overlay", s.overlay)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "There is no such page.", "/")
	})
	return mux
}

// refuse says what is wrong, and where to go on.
func refuse(w http.ResponseWriter, code int, text, back string) {
	show(w, code, "refused.html", struct{ Title, Text, Back string }{http.StatusText(code), text, back})
}

// open shows one result: the page that lies in its folder, or one that is made.
func (s *Results) open(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()["r"]
	found, err := s.picked(asked)
	if err != nil || len(found) != 1 {
		refuse(w, http.StatusNotFound, fmt.Sprintf("There is no one result %q in this folder.", asked), "/")
		return
	}
	s.result(w, r, found[0])
}

func (s *Results) result(w http.ResponseWriter, r *http.Request, e entry) {
	if text, err := s.kept(e); err == nil {
		sandboxed(w)
		_, _ = w.Write(text) // the reader left
		return
	}
	s.make(w, r, []entry{e}, "/")
}

// kept is the report.html of a result, which must lie in the folder itself.
func (s *Results) kept(e entry) ([]byte, error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	path := filepath.FromSlash(cmp.Or(e.page, e.Path+"/"+pageName))
	if info, err := root.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > page.Limit {
		return nil, fmt.Errorf("no page: %w", os.ErrNotExist)
	}
	return root.ReadFile(path)
}

// overlay shows several results on one page.
func (s *Results) overlay(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := "/?" + url.Values{"q": q["q"], "r": q["r"]}.Encode()
	found, err := s.picked(q["r"])
	switch {
	case err != nil:
		refuse(w, http.StatusNotFound, err.Error(), back)
	case len(found) == 0:
		refuse(w, http.StatusBadRequest, "Nothing is selected: tick the results to compare.", back)
	case len(found) > mostBeside:
		refuse(w, http.StatusBadRequest, fmt.Sprintf("%d results are selected, and at most %d can be told apart in "+
			"one picture.", len(found), mostBeside), back)
	default:
		s.make(w, r, found, back)
	}
}

// picked are the entries of those names, each once, in the order of the list.
func (s *Results) picked(names []string) ([]entry, error) {
	all, _, err := s.scan()
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, e := range all {
		if slices.Contains(names, e.Path) {
			found = append(found, e)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(found, func(e entry) bool { return e.Path == n }) {
			return nil, fmt.Errorf("there is no result %q in this folder", n)
		}
	}
	return found, nil
}

// make shows a page of what is read from disk again.
func (s *Results) make(w http.ResponseWriter, r *http.Request, of []entry, back string) {
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-r.Context().Done():
		return
	}
	p := pages.Beside{Version: s.Version, Links: []page.Link{{Text: "All results", Address: back}}}
	for _, e := range of {
		disk, err := s.Read(filepath.Join(s.Dir, filepath.FromSlash(e.Path)))
		if err != nil {
			refuse(w, http.StatusInternalServerError, fmt.Sprintf("%s cannot be shown: %v", e.Name, err), back)
			return
		}
		p.All = append(p.All, pages.Named{Name: e.Name, Disk: disk})
	}
	var text strings.Builder
	if err := p.Write(&text); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error(), back)
		return
	}
	sandboxed(w)
	extend(w)
	_, _ = w.Write([]byte(text.String())) // the reader left
}

// sandboxed lets a page of results run its own script, and keeps it from everything
// else here: the file may be somebody else's.
func sandboxed(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "sandbox allow-scripts allow-downloads; default-src 'none'; "+
		"script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "+
		"frame-ancestors 'none'")
}
