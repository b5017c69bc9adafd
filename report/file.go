package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"headway/internal/filelock"
)

// minFree is the room that Probe asks for.
const minFree = 16 << 20

// WriteFile writes a file whole or not at all: into a temporary file of the
// same folder, synced, then renamed. A crash or a full disk leaves what was
// there before. The folder is made when it is missing.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Abort()
		return advise("writing", path, err)
	}
	return f.Commit()
}

// File is a file that appears under its name when it is committed.
type File struct {
	*os.File
	path string
	// partial says that what was written is worth keeping without its end.
	partial bool
}

// Create begins a file that will be path. Exactly one of Commit and Abort must
// follow. A device, a pipe or a folder of that name is left as it is, with an
// error: the new file would take its place.
func Create(path string) (*File, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, advise("creating", path, err)
	}
	if s, err := os.Stat(path); err == nil && !s.Mode().IsRegular() {
		return nil, &fileError{fmt.Sprintf("creating %s: it is there and is no ordinary file: choose another name",
			path), nil}
	}
	f, err := os.CreateTemp(dir, "."+base+tempMark)
	if err != nil {
		return nil, advise("creating", path, err)
	}
	_ = filelock.Try(f) // where there are no locks the mark is missing; see filelock.Held
	file := &File{File: f, path: path}
	temporary.Store(file, true)
	return file, nil
}

// temporary are the files that have no name yet and are worth nothing without.
var temporary sync.Map

// Discard removes every file that was begun and has no name yet, but for
// partial ones. It is for a process that ends at once; what writes on fails.
func Discard() {
	temporary.Range(func(f, _ any) bool {
		f.(*File).Abort()
		return true
	})
}

// tempMark stands in the names of temporary files, between the name to be and
// a number.
const tempMark = ".tmp-"

// Write says of a fault which file it is about and what to do.
func (f *File) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if err != nil {
		return n, advise("writing", f.path, err)
	}
	return n, nil
}

// Commit gives the file its name. When it fails a temporary file is gone, a
// partial one stays, and what had the name before is still there.
func (f *File) Commit() error {
	temporary.Delete(f)
	err := errors.Join(f.Chmod(0o644), f.Sync(), f.File.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err == nil {
		return nil
	}
	if !f.partial {
		os.Remove(f.Name())
	}
	return advise("writing", f.path, err)
}

// Abort throws the file away.
func (f *File) Abort() {
	temporary.Delete(f)
	f.File.Close()
	os.Remove(f.Name())
}

// Leave ends a file that cannot be finished: a partial one stays under its
// partial name, any other is thrown away.
func (f *File) Leave() {
	if !f.partial {
		f.Abort()
		return
	}
	f.File.Close()
}

// Probe finds out before load starts whether results can be written to dir: it
// makes the folder, writes, syncs and removes a file in it, and asks for 16 MiB
// of free room where the system says how much there is.
func Probe(dir string) error {
	path := filepath.Join(dir, "probe")
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	_, err = f.Write(make([]byte, 4096))
	if err = errors.Join(err, f.Sync()); err != nil {
		return advise("writing", path, err)
	}
	if free, ok := freeBytes(dir); ok && free < minFree {
		return fmt.Errorf("writing to %s: only %.1f MiB are free, results need at least %d MiB: free some room or "+
			"choose another output folder",
			dir, float64(free)/(1<<20), minFree>>20)
	}
	return nil
}

// Claim makes dir this process's own until release is called: it makes the
// folder, locks it and probes it. The error is a *filelock.BusyError where
// another process writes results there. command is what that is told of this
// one, without secrets.
func Claim(dir, command string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, advise("creating", dir, err)
	}
	lock, err := filelock.LockDir(dir, command)
	if err != nil {
		return nil, advise("locking", dir, err)
	}
	if err := Probe(dir); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock.Release, nil
}

// fileError is a fault with its file and its advice.
type fileError struct {
	text  string
	cause error
}

func (e *fileError) Error() string { return e.text }
func (e *fileError) Unwrap() error { return e.cause }

// advise says what was done to which file, and what to do about it; a fault
// that says it already stays as it is.
func advise(doing, path string, err error) error {
	if errors.As(err, new(*fileError)) || errors.Is(err, filelock.ErrBusy) {
		return err
	}
	cause, hint := err, ""
	var at *fs.PathError
	if errors.As(err, &at) && strings.Contains(filepath.Base(at.Path), tempMark) {
		cause = at.Err // its path is of the temporary file, which nobody knows
	}
	switch {
	case errors.Is(err, syscall.EFBIG):
		hint = ": the file is as large as this process or this disk allows (ulimit -f), raise the limit or choose " +
			"another output folder"
	case errors.Is(err, syscall.EDQUOT):
		hint = ": the quota on this disk is used up, free some room or choose another output folder"
	case errors.Is(err, syscall.ENOSPC):
		hint = ": the disk is full, free some room or choose another output folder"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = ": choose an output folder that you may write to"
	case errors.Is(err, syscall.ENOTDIR):
		hint = ": a part of the path is a file and not a folder"
	}
	return &fileError{fmt.Sprintf("%s %s: %v%s", doing, path, cause, hint), err}
}
