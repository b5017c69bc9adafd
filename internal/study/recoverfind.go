package study

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"

	"headway/internal/bound"
	"headway/record"
	"headway/report"
)

// left is a file of records that has no results.
type left struct {
	path  string
	names report.Names
	// number is what stands behind the mark of a partial file: "", "-2", …
	number  string
	partial bool
}

var recordsName = regexp.MustCompile(`^(?:(.+)_)?records\.jsonl(\.partial(-[0-9]+)?)?$`)

// find lists what there is to recover: of each folder the newest, whose results
// are those of the folder.
func (r Recovery) find() ([]left, error) {
	var all []left
	err := filepath.WalkDir(r.Dir, func(path string, d fs.DirEntry, err error) error {
		m := recordsName.FindStringSubmatch(filepath.Base(path))
		if err != nil || d.IsDir() || m == nil {
			return err
		}
		l := left{path: path, names: report.FileNames(m[1]), number: m[3], partial: m[2] != ""}
		if l.partial || !l.summed() {
			all = append(all, l)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for killed runs: %w", err)
	}
	return newest(all), nil
}

// summed says whether the summary beside whole records is theirs.
func (l left) summed() bool {
	h, err := headerOf(l.path)
	if err != nil {
		return true // there is nothing to make one of
	}
	s, err := report.Load(filepath.Join(filepath.Dir(l.path), l.names.JSON))
	return err == nil && (s.ID == h.ID || h.ID == "")
}

// newest leaves the newest of the files that would have the same results, those
// that are being written among them.
func newest(all []left) []left {
	began := map[string]int64{}
	for _, l := range all {
		if h, err := headerOf(l.path); err == nil {
			began[l.path] = h.Origin.UnixNano()
		}
	}
	slices.SortStableFunc(all, func(a, b left) int {
		return cmp.Or(cmp.Compare(a.results(), b.results()), cmp.Compare(began[b.path], began[a.path]))
	})
	return slices.CompactFunc(all, func(a, b left) bool { return a.results() == b.results() })
}

// results is the summary that would be made.
func (l left) results() string { return filepath.Join(filepath.Dir(l.path), l.names.JSON) }

func headerOf(path string) (record.Header, error) {
	f, err := bound.Open(path)
	if err != nil {
		return record.Header{}, err
	}
	defer f.Close()
	in, err := record.NewReader(f, path)
	if err != nil {
		return record.Header{}, err
	}
	return in.Header(), nil
}

func (l left) schedule() string {
	return filepath.Join(filepath.Dir(l.path), scheduleName) + report.PartialMark + l.number
}
