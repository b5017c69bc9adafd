package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headway/internal/filelock"
)

// Swept is one thing that a dead process left behind, and what became of it.
type Swept struct {
	Entry Entry
	Owner Owner
	// Ended says that it was there and has been ended; without it and without Err
	// it was gone before.
	Ended bool
	// Err says why it is still there, or may be; nil when it is gone.
	Err error
}

// Remover removes one thing of a list, and says whether there was something to
// remove: it is no error when it was gone before.
type Remover func(ctx context.Context, e Entry) (ended bool, err error)

// Leavings lists what [Sweep] would remove, and removes nothing.
func Leavings(dir string) ([]Swept, error) { return Sweep(context.Background(), dir, nil) }

// Sweep removes what processes left behind that have lists in the folder and
// are dead. Lists of live processes and those of other hosts, whose processes
// cannot be looked at from here, are left alone. A list goes when all that was
// on it is gone. The error is of the folder; what could not be removed is in
// the result. With a nil map nothing is removed.
func Sweep(ctx context.Context, dir string, remove map[string]Remover) ([]Swept, error) {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for what earlier processes left behind: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("asking for this host's name: %w", err)
	}
	var all []Swept
	var faults []error
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ledgerSuffix) {
			continue
		}
		swept, err := sweepList(ctx, filepath.Join(dir, n.Name()), host, remove)
		all = append(all, swept...)
		if err != nil {
			faults = append(faults, fmt.Errorf("the list %s: %w", filepath.Join(dir, n.Name()), err))
		}
	}
	return all, errors.Join(faults...)
}

// sweepList removes what one list names, if its owner is dead.
func sweepList(ctx context.Context, path, host string, remove map[string]Remover) ([]Swept, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // its owner ended, or another sweep was faster
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // what matters was synced
	// Where nothing can be locked every list counts as that of a live process,
	// and is removed by hand.
	switch err := filelock.Try(f); {
	case errors.Is(err, filelock.ErrBusy), errors.Is(err, filelock.ErrUnknown):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, nil
	}
	owner, left, err := readLedger(f)
	if err != nil {
		return nil, fmt.Errorf("%w; remove the file when nothing of process %d is left", err, owner.PID)
	}
	// A lock says that nobody writes the list, which is no proof where the file
	// system keeps none.
	if alive, known := owner.Alive(); owner.Host != host || alive && known && owner.PID != os.Getpid() {
		return nil, nil
	}
	l := &Ledger{owner: owner, path: path, file: f, left: left}
	var swept []Swept
	for _, e := range l.Left() {
		s := Swept{Entry: e, Owner: owner}
		if remove != nil {
			s.Ended, s.Err = l.remove(ctx, e, remove[e.Kind])
		}
		swept = append(swept, s)
	}
	if len(l.left) > 0 || remove == nil {
		return swept, nil
	}
	return swept, os.Remove(path)
}

// remove removes one thing and takes it from the list.
func (l *Ledger) remove(ctx context.Context, e Entry, by Remover) (ended bool, err error) {
	if by == nil {
		return false, fmt.Errorf("nothing here can remove a thing of kind %q", e.Kind)
	}
	if ended, err = by(ctx, e); err == nil {
		err = l.Gone(e)
	}
	return ended, err
}

// Alive says whether the process still runs; known is false for one of another
// host.
func (o Owner) Alive() (alive, known bool) {
	host, err := os.Hostname()
	if err != nil || host != o.Host {
		return false, false
	}
	start := processStart(o.PID)
	return start != "" && start == o.Start, o.Start != ""
}
