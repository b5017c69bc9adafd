package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headway/internal/filelock"
)

// PartialMark is put behind the name of a file that has no end yet.
const PartialMark = ".partial"

// maxPartials is how many files of one name may be without their end.
const maxPartials = 100

// CreatePartial begins a file whose lines are good without its end. Until it
// is committed it is called path.partial, so that a process that is killed
// leaves what it had where it can be found; a number is added where such a
// file lies there already. Exactly one of Commit, Abort and Leave must follow.
func CreatePartial(path string) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, advise("creating", path, err)
	}
	name := path + PartialMark
	for n := 2; ; n++ {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			_ = filelock.Try(f) // as for Create
			return &File{File: f, path: path, partial: true}, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > maxPartials {
			return nil, advise("creating", path, err)
		}
		name = fmt.Sprintf("%s%s-%d", path, PartialMark, n)
	}
}

// ClearTemporary removes the hidden temporary files that killed processes left
// in dir. Those of a process that lives are held by it and stay.
func ClearTemporary(dir string) error {
	return clearLeft(dir, func(name string) bool {
		return strings.HasPrefix(name, ".") && strings.Contains(name, tempMark)
	})
}

// ClearPartial removes what killed processes left of the file path.
func ClearPartial(path string) error {
	begin := filepath.Base(path) + PartialMark
	return clearLeft(filepath.Dir(path), func(name string) bool {
		rest, ok := strings.CutPrefix(name, begin)
		return ok && (rest == "" || rest[0] == '-')
	})
}

func clearLeft(dir string, is func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking for files of killed runs: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); is(e.Name()) && e.Type().IsRegular() && !filelock.Held(path) {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}
