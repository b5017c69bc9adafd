package deploy

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Removers are what removes things, by their kind.
type Removers map[string]Remover

// Say hears in a line what became of something.
type Say func(format string, args ...any)

// StateDir is where lists of what was started are kept, by the environment; ""
// where there is no home.
func StateDir(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "headway")
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "headway")
	}
	return ""
}

// Open removes what searches left behind that are dead, and begins the list of
// this one: in the folder of state, which may be "", or with the results where
// that cannot be written. What cannot be removed is a warning, and no error: the
// next search and `headway profile cleanup` try again.
func Open(ctx context.Context, state, results string, remove Removers, say Say) (*Ledger, error) {
	aside := filepath.Join(results, ".started")
	for _, dir := range []string{state, aside} {
		if _, err := remove.Sweep(ctx, dir, func(format string,
			args ...any) {
			say("note: "+format, args...)
		}); err != nil {
			say("warning: %v", err)
		}
	}
	if state != "" {
		if l, err := OpenLedger(state); err == nil {
			return l, nil
		}
	}
	return OpenLedger(aside)
}

// Sweep removes what dead processes have on their lists in a folder, as [Sweep]
// does, says what became of each thing, and returns how many they were. A folder
// "" has none. The error has everything that may still be there.
func (r Removers) Sweep(ctx context.Context, dir string, say Say) (int, error) {
	if dir == "" {
		return 0, nil
	}
	swept, err := Sweep(ctx, dir, r)
	faults := []error{err}
	for _, s := range swept {
		whose := fmt.Sprintf("left behind by process %d of %s", s.Owner.PID, s.Entry.Made.Local().Format(time.DateTime))
		switch {
		case s.Err != nil:
			faults = append(faults, fmt.Errorf("%s, %s: %w", s.Entry, whose, s.Err))
		case s.Ended:
			say("removed %s, %s", s.Entry, whose)
		default:
			say("was gone already: %s, %s", s.Entry, whose)
		}
	}
	return len(swept), errors.Join(faults...)
}

// List says what Sweep would remove, and removes nothing.
func List(dir string, say Say) (int, error) {
	if dir == "" {
		return 0, nil
	}
	left, err := Leavings(dir)
	for _, s := range left {
		say("left behind by process %d of %s: %s", s.Owner.PID, s.Entry.Made.Local().Format(time.DateTime), s.Entry)
	}
	return len(left), err
}

// lastTry is how long the removal of a single thing may take at the end.
const lastTry = 5 * time.Minute

// Settle ends a list. What is still on it, after a panic or when an engine could
// not be stopped, is tried once more; the error names what may be left.
func (l *Ledger) Settle(remove Removers) error {
	var faults []error
	for _, e := range l.Left() {
		ctx, cancel := context.WithTimeout(context.Background(), lastTry)
		_, err := l.remove(ctx, e, remove[e.Kind])
		cancel()
		if err != nil {
			faults = append(faults, fmt.Errorf("%s may be left behind: %w; `headway profile cleanup` tries again", e,
				err))
		}
	}
	return errors.Join(append(faults, l.Close())...)
}
