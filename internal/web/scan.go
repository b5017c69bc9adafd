package web

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"headway/report"
)

const (
	// mostEntries of a tree are listed, and mostLooked files and folders are looked at.
	mostEntries = 2000
	mostLooked  = 200_000
)

// entry is a result in the list.
type entry struct {
	// Path is that of its folder below the root, with slashes; "." is the root.
	Path, Name string
	// Kind says what it is.
	Kind      string
	When      time.Time // of the newest of its files
	page      string    // the page that lies there, below the root; empty where there is none
	summaries []string  // files of figures, below the root
	outside   bool      // a link leads out of the folder
}

// pageName is that of a page of results; one with a prefix has it before an underscore.
var pageName = report.FileNames("").Page

// aside are folders whose files repeat others.
var aside = []string{"plots", "phases", "aggregate"}

// scan finds the results below the folder. cut says that there are more.
func (s *Results) scan() (all []entry, cut bool, err error) {
	root, err := filepath.EvalSymlinks(s.Dir)
	if err != nil {
		return nil, false, fmt.Errorf("reading results: %w", err)
	}
	f := finder{root: root, kinds: s.Kinds, at: map[string]*entry{}}
	if err := filepath.WalkDir(root, f.visit); err != nil {
		return nil, false, fmt.Errorf("reading results: %w", err)
	}
	for _, e := range f.at {
		if !e.outside {
			all = append(all, *e)
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.Path, b.Path) })
	if len(all) > mostEntries {
		all, cut = all[:mostEntries], true
	}
	return all, cut || f.looked > mostLooked, nil
}

// finder gathers results while it walks.
type finder struct {
	root   string
	kinds  map[string]string // by the name of a file
	at     map[string]*entry // by path
	looked int
	inside string // the comparison whose runs are being looked at
}

func (f *finder) visit(path string, d fs.DirEntry, err error) error {
	if f.looked++; f.looked > mostLooked {
		return fs.SkipAll
	}
	if err != nil {
		return nil // a folder of somebody else
	}
	name := d.Name()
	switch {
	case d.IsDir() && path != f.root && (strings.HasPrefix(name, ".") || slices.Contains(aside, name)):
		return fs.SkipDir
	case d.IsDir():
		f.folder(path)
	case d.Type()&fs.ModeSymlink != 0:
		f.link(path)
	case f.inside != "":
	case name == pageName || strings.HasSuffix(name, "_"+pageName):
		f.add(filepath.Dir(path), "report", path).page = f.rel(path)
	case f.kinds[name] != "":
		f.add(filepath.Dir(path), f.kinds[name], path)
	case strings.HasSuffix(name, ".json") && strings.HasPrefix(name, "profile_export") &&
		name != "profile_export_aggregate.json":
		f.summary(path)
	}
	return nil
}

// folder looks for comparisons, whose runs are no results of their own.
func (f *finder) folder(path string) {
	if f.inside != "" && strings.HasPrefix(path, f.inside+string(filepath.Separator)) {
		return
	}
	f.inside = ""
	file := filepath.Join(path, report.ComparisonName)
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
		f.add(path, "comparison", file)
		f.inside = path
	}
}

// summary adds the figures of a run to the result that they are of.
func (f *finder) summary(path string) {
	dir := f.rel(filepath.Dir(path))
	name, level := report.Place(f.root, path)
	switch {
	case dir == name || strings.HasPrefix(dir, name+"/"):
	case !strings.Contains(name, "/") && name == filepath.Base(f.root):
		name = "."
	default:
		name = dir
	}
	kind := "run"
	if level > 0 && name != dir {
		kind = "sweep"
	}
	e := f.add(filepath.Join(f.root, filepath.FromSlash(name)), kind, path)
	e.summaries = append(e.summaries, f.rel(path))
}

// add makes the entry of a folder, or finds the one that is there.
func (f *finder) add(dir, kind, file string) *entry {
	path := f.rel(dir)
	e := f.at[path]
	if e == nil {
		e = &entry{Path: path, Name: path, Kind: kind}
		if path == "." {
			e.Name = filepath.Base(f.root)
		}
		f.at[path] = e
	}
	if kind != "report" {
		e.Kind = kind
	}
	if info, err := os.Stat(file); err == nil && info.ModTime().After(e.When) {
		e.When = info.ModTime()
	}
	return e
}

// link marks what has a link that leads out of the folder; it is not shown.
func (f *finder) link(path string) {
	target, err := filepath.EvalSymlinks(path)
	if err == nil && (target == f.root || strings.HasPrefix(target, f.root+string(filepath.Separator))) {
		return
	}
	for dir := filepath.Dir(path); len(dir) >= len(f.root); dir = filepath.Dir(dir) {
		f.add(dir, "report", path).outside = true
	}
}

func (f *finder) rel(path string) string {
	rel, err := filepath.Rel(f.root, path)
	if err != nil {
		return "."
	}
	return filepath.ToSlash(rel)
}

// cache keeps what the list shows of a file for as long as the file is the same.
type cache struct {
	mu   sync.Mutex
	rows map[string]cached
}

type cached struct {
	size int64
	when time.Time
	of   *report.Loaded
}

// load reads a summary, or takes what was read before; nil where it cannot be read.
func (c *cache) load(path string) *report.Loaded {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	old, ok := c.rows[path]
	c.mu.Unlock()
	if ok && old.size == info.Size() && old.when.Equal(info.ModTime()) {
		return old.of
	}
	of, err := report.Load(path)
	if err != nil {
		of = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil || len(c.rows) > 4*mostEntries {
		c.rows = map[string]cached{}
	}
	c.rows[path] = cached{info.Size(), info.ModTime(), of}
	return of
}
