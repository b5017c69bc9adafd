package bound

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Document is the most that is read of a file which is needed whole: a
// configuration, a manifest, a table. Files of requests and records are read line
// by line and have no such bound.
const Document = 64 * MiB

// ErrTooLarge is what the error of a file or stream above its bound wraps.
var ErrTooLarge = errors.New("larger than its bound")

// ReadFile reads a whole file of at most that many bytes. A device is refused,
// since it may have no end; a pipe is read up to the bound. what names the file
// in errors, such as "the configuration".
func ReadFile(name string, most Bytes, what string) ([]byte, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, most, what+" "+name)
}

// Glob is filepath.Glob for a pattern with slashes below a folder, whose own name
// may hold what has a meaning in patterns.
func Glob(dir, pattern string) ([]string, error) {
	found, err := fs.Glob(os.DirFS(dir), pattern)
	for i, name := range found {
		found[i] = filepath.Join(dir, filepath.FromSlash(name))
	}
	return found, err
}

// Open opens a file for reading. It refuses what is no source of data: a
// device, which may have no end (/dev/zero), and a folder.
func Open(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return os.Open(name) // which says what is wrong in the usual words
	}
	if err := Regular(info, name); err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeNamedPipe != 0 {
		return openPipe(name)
	}
	return os.Open(name)
}

// Check says what is wrong with a file of at most that many bytes that a library
// reads by its name: a device, a folder, a file above the bound. One that is not
// there is left to the library.
func Check(name string, most Bytes, what string) error {
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	if err := Regular(info, name); err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Size() > int64(most) {
		return tooLarge(what+" "+name, most)
	}
	return nil
}

// Regular says what is wrong with a file that is to be read; nil for a regular
// file, a pipe and the null device, which is empty.
func Regular(info os.FileInfo, name string) error {
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode&os.ModeNamedPipe != 0, name == os.DevNull:
		return nil
	case mode.IsDir():
		return fmt.Errorf("reading %s: it is a folder; name a file", name)
	case mode&os.ModeCharDevice != 0 && terminalNames[name]:
		return nil
	}
	return fmt.Errorf("reading %s: it is a device or a socket, which may have no end; name a file", name)
}

// terminalNames are devices that end when the user says so.
var terminalNames = map[string]bool{"/dev/stdin": true, "/dev/tty": true, "/proc/self/fd/0": true, "/dev/fd/0": true}

// ReadAll reads r to its end; the error of more than so many bytes wraps
// ErrTooLarge and names what was read. Of a file that says that it is larger
// nothing is read.
func ReadAll(r io.Reader, most Bytes, what string) ([]byte, error) {
	if f, ok := r.(interface{ Stat() (os.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > int64(most) {
			return nil, tooLarge(what, most)
		}
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	if int64(len(data)) > int64(most) {
		return nil, tooLarge(what, most)
	}
	return data, nil
}

func tooLarge(what string, most Bytes) error {
	return fmt.Errorf("reading %s: %w of %v; is it the right file?", what, ErrTooLarge, most)
}
