// Package filelock locks files and folders against other processes.
//
// Locks are the kernel's: they end with the process that holds them, however it
// ends, so that none outlives its owner. A lock on a folder is one on a small
// file in it, which also names its owner for the message of whoever comes
// second. Locks are advisory: only programs that ask are kept out.
package filelock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Name is the file that locks a folder. It is there only while the folder is
// locked, or where the process that locked it was killed.
const Name = ".headway.lock"

// ErrBusy says that another process has the lock.
var ErrBusy = errors.New("another process has the lock")

// ErrUnknown says that the system, or the file system, knows no locks.
var ErrUnknown = errors.New("files cannot be locked here")

// Owner is the process that has a folder.
type Owner struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Command string    `json:"command,omitempty"`
}

// BusyError says who has a folder. It is an [ErrBusy].
type BusyError struct {
	Dir   string
	Owner Owner // zero where it could not be read
}

// Error says who has the folder and what to do.
func (e *BusyError) Error() string {
	who := "another process writes results there"
	if o := e.Owner; o.PID > 0 {
		since := o.Since.Local().Format(time.DateTime)
		who = fmt.Sprintf("process %d on %s writes results there since %s: %s", o.PID, o.Host, since, o.Command)
	}
	return fmt.Sprintf("%s is in use: %s; wait for it, end it, or choose another folder", e.Dir, who)
}

// Unwrap makes it an ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// Dir is a locked folder.
type Dir struct{ file *os.File }

// LockDir locks a folder, which must exist, for this process until Release. A
// lock of a dead process is taken over. The error is a [*BusyError] where a
// living one has it. Where files cannot be locked nothing is, without an error.
func LockDir(dir, command string) (*Dir, error) {
	path := filepath.Join(dir, Name)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("locking %s: %w", dir, err)
		}
		switch err := Try(f); {
		case errors.Is(err, ErrUnknown):
			return &Dir{}, errors.Join(f.Close(), os.Remove(path))
		case errors.Is(err, ErrBusy):
			owner := readOwner(f)
			return nil, errors.Join(&BusyError{Dir: dir, Owner: owner}, f.Close())
		case err != nil:
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
		}
		// The owner before may have removed the file between the two calls: what
		// is locked then is a file without a name.
		if same, err := isAt(f, path); err != nil || !same {
			if err = errors.Join(err, f.Close()); err != nil {
				return nil, fmt.Errorf("locking %s: %w", dir, err)
			}
			continue
		}
		d := &Dir{file: f}
		if err := d.sign(command); err != nil {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), d.Release())
		}
		return d, nil
	}
}

// Release gives the folder free. A nil Dir holds nothing.
func (d *Dir) Release() error {
	if d == nil || d.file == nil {
		return nil
	}
	// Removed first, so that nobody locks a file that is about to go; Windows
	// removes only what is closed.
	removed := os.Remove(d.file.Name())
	err := d.file.Close()
	if removed != nil {
		removed = os.Remove(d.file.Name())
	}
	if errors.Is(removed, fs.ErrNotExist) {
		removed = nil
	}
	return errors.Join(err, removed)
}

// sign writes this process into the lock, over the owner before.
func (d *Dir) sign(command string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	text, err := json.Marshal(Owner{PID: os.Getpid(), Host: host, Since: time.Now().UTC(), Command: command})
	if err != nil {
		return err
	}
	if err := d.file.Truncate(0); err != nil {
		return err
	}
	_, err = d.file.WriteAt(append(text, '\n'), 0)
	return err
}

// readOwner is who has the lock; zero where the file does not say it.
func readOwner(f *os.File) Owner {
	var o Owner
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil || json.Unmarshal(text, &o) != nil {
		return Owner{}
	}
	return o
}

func isAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, there), err
}

// Held reports whether a process has the file locked, and also where that
// cannot be known.
func Held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	return Try(f) != nil
}
