package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
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
}

// Create begins a file that will be path. Exactly one of Commit and Abort must
// follow.
func Create(path string) (*File, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, advise("creating", path, err)
	}
	f, err := os.CreateTemp(dir, "."+base+".tmp-")
	if err != nil {
		return nil, advise("creating", path, err)
	}
	return &File{f, path}, nil
}

// Commit gives the file its name. When it fails the temporary file is gone and
// what had the name before is still there.
func (f *File) Commit() error {
	err := errors.Join(f.Chmod(0o644), f.Sync())
	if err = errors.Join(err, f.File.Close()); err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return advise("writing", f.path, err)
	}
	return nil
}

// Abort throws the file away.
func (f *File) Abort() {
	f.File.Close()
	os.Remove(f.Name())
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
		return fmt.Errorf("writing to %s: only %.1f MiB are free, results need at least %d MiB: free some room or choose another output folder",
			dir, float64(free)/(1<<20), minFree>>20)
	}
	return nil
}

// advise says what was done to which file, and what to do about it.
func advise(doing, path string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.ENOSPC):
		hint = ": the disk is full, free some room or choose another output folder"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = ": choose an output folder that you may write to"
	case errors.Is(err, syscall.ENOTDIR):
		hint = ": a part of the path is a file and not a folder"
	}
	return fmt.Errorf("%s %s: %w%s", doing, path, err, hint)
}
