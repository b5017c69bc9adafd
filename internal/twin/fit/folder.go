package fit

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/internal/profile"
)

// ReadFolders reads what was measured into folders: results of run and of bench,
// and profiles of an endpoint. A folder is looked through with all below it, but
// for the runs of a profile's points: the points are what they come to, and their
// prompts were in the cache before, which a load does not say.
func ReadFolders(dirs []string) (loads []*Load, points []Point, err error) {
	for _, dir := range dirs {
		before := len(loads) + len(points)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != dir && ofPoints(d.Name()):
				return fs.SkipDir
			case d.IsDir():
				return nil
			case strings.TrimSuffix(d.Name(), ".gz") == "records.jsonl":
				l, err := openLoad(path)
				loads = append(loads, l)
				return err
			case ofPoints(strings.TrimSuffix(d.Name(), ".jsonl")):
				p, err := ReadPoints(path)
				points = append(points, p...)
				return err
			case ofPoints(strings.TrimSuffix(d.Name(), ".csv")):
				p, err := ReadTable(path)
				points = append(points, p...)
				return err
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", dir, err)
		}
		if len(loads)+len(points) == before {
			return nil, nil, fault.New("%s: no records.jsonl in it, and no points of a profile "+
				"(prefill_points.jsonl, decode_points.jsonl, or their .csv)", dir)
		}
	}
	return loads, points, nil
}

// ReadLoads reads the loads that folders have. A folder without one is an error,
// even where it has points of a profile: a twin is not held against those.
func ReadLoads(dirs []string) ([]*Load, error) {
	var all []*Load
	for _, dir := range dirs {
		loads, _, err := ReadFolders([]string{dir})
		if err != nil {
			return nil, err
		}
		if len(loads) == 0 {
			return nil, fault.New("%s: a profile has no load that a twin is held against; give results of run or bench",
				dir)
		}
		all = append(all, loads...)
	}
	return all, nil
}

// without are the loads that are in no folder of the others: what is held out of
// folders that contain it is not fitted.
func without(loads, others []*Load) []*Load {
	return slices.DeleteFunc(slices.Clone(loads), func(l *Load) bool {
		return slices.ContainsFunc(others, func(o *Load) bool { return sameFolder(l.Name, o.Name) })
	})
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return a == b
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// ofPoints reports whether a profile has under this name the runs of its points.
func ofPoints(name string) bool {
	return name == profile.PointsName(profile.Prefill) || name == profile.PointsName(profile.Decode)
}

// openLoad reads a file of Records, packed or not.
func openLoad(path string) (l *Load, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return ReadLoad(in, filepath.Dir(path))
}
