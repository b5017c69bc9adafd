package hub

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"headway/internal/bound"
)

// repository is the folder of one model in the cache, laid out as Hugging Face's
// library lays it out:
//
//	refs/main                    the commit that main was at
//	snapshots/<commit>/<file>    a link to
//	blobs/<etag>                 the content
//
// Everything appears by a rename of something complete, so that any number of
// processes may read and write at once: the worst that can happen is that two
// fetch the same file.
type repository struct {
	folder   string
	revision string
}

// find returns the path of a file that is in the cache.
func (r repository) find(file string) (path string, ok bool) {
	commit := r.revision
	if !isCommit(commit) {
		data, err := bound.ReadFile(r.ref(), bound.Document, "the reference")
		if err != nil {
			return "", false
		}
		if commit = strings.TrimSpace(string(data)); !isCommit(commit) {
			return "", false
		}
	}
	path = r.snapshot(commit, file)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular()
}

func (r repository) ref() string {
	return filepath.Join(r.folder, "refs", filepath.FromSlash(r.revision))
}

func (r repository) snapshot(commit, file string) string {
	return filepath.Join(r.folder, "snapshots", commit, filepath.FromSlash(file))
}

func (r repository) blob(etag string) string { return filepath.Join(r.folder, "blobs", etag) }

// has is true when the content is there already, size bytes long (size < 0: of
// any length).
func (r repository) has(etag string, size int64) bool {
	info, err := os.Stat(r.blob(etag))
	return err == nil && info.Mode().IsRegular() && (size < 0 || info.Size() == size)
}

// keep copies content into a new blob by way of a temporary file, which is gone
// when the copy failed. check is asked before the file gets its name.
func (r repository) keep(etag string, content io.Reader, check func(size int64) error) error {
	folder := filepath.Join(r.folder, "blobs")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return storageError{err}
	}
	tmp, err := os.CreateTemp(folder, etag+".*.incomplete")
	if err != nil {
		return storageError{err}
	}
	defer os.Remove(tmp.Name())
	n, err := io.Copy(writeErrors{tmp}, content)
	if err == nil {
		err = check(n)
	}
	if err == nil {
		err = asStorage(tmp.Chmod(0o644))
	}
	if err == nil {
		err = asStorage(tmp.Sync()) // a name must not outlive its content in a power cut
	}
	if closed := tmp.Close(); err == nil {
		err = asStorage(closed)
	}
	if err != nil {
		return err
	}
	return asStorage(os.Rename(tmp.Name(), r.blob(etag)))
}

// publish makes a blob visible as a file of a commit, and the revision point to
// the commit. It returns the file's path.
func (r repository) publish(commit, file, etag string) (string, error) {
	path := r.snapshot(commit, file)
	up, err := filepath.Rel(filepath.Dir(path), r.blob(etag))
	if err == nil {
		err = replace(path, func(tmp string) error {
			if err := os.Symlink(up, tmp); err == nil {
				return nil
			}
			// File systems and users without symbolic links: a second copy.
			return copyFile(tmp, r.blob(etag))
		})
	}
	if err == nil && !isCommit(r.revision) {
		err = replace(r.ref(), func(tmp string) error { return os.WriteFile(tmp, []byte(commit), 0o644) })
	}
	return path, asStorage(err)
}

// replace makes path what create leaves at the name it is given.
func replace(path string, create func(tmp string) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	// The link is relative, so it must be made where it will stand: a file beside
	// path, whose name the folder has reserved.
	tmp := folder + ".tmp"
	defer os.Remove(tmp)
	if err := create(tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

// storageError marks a failure of the cache, as opposed to one of the network.
type storageError struct{ error }

func (e storageError) Unwrap() error { return e.error }

func asStorage(err error) error {
	if err == nil {
		return nil
	}
	return storageError{err}
}

// writeErrors marks the failures of writes: io.Copy returns those of either side.
type writeErrors struct{ file *os.File }

func (w writeErrors) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		return n, storageError{fmt.Errorf("writing %s: %w", w.file.Name(), err)}
	}
	return n, nil
}
