package deploy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"headway/internal/filelock"
)

// The kinds of what a Ledger lists.
const (
	KindProcess = "process"
	KindObject  = "object"
)

// Entry is one thing that was made for a candidate and has to go again. What
// does not belong to its kind is empty.
type Entry struct {
	// ID is the ledger's own name for it.
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// What it is for, in words.
	What string    `json:"what,omitempty"`
	Made time.Time `json:"made"`

	// PID leads the process group of an engine on this host, whose environment
	// has Marker.
	PID    int    `json:"pid,omitempty"`
	Marker string `json:"marker,omitempty"`

	// A Kubernetes object: which cluster (Server is its address), and which
	// object. UID is empty until the API server has answered.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	Context    string `json:"context,omitempty"`
	Server     string `json:"server,omitempty"`
	APIVersion string `json:"api_version,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	UID        string `json:"uid,omitempty"`
}

// String names the thing for people.
func (e Entry) String() string {
	if e.Kind == KindProcess {
		return fmt.Sprintf("process %d (%s)", e.PID, e.What)
	}
	return fmt.Sprintf("DynamoGraphDeployment %s/%s on %s", e.Namespace, e.Name, e.Server)
}

// Owner is the headway process that made something.
type Owner struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Start says when it started (the boot and the kernel's ticks since), so
	// that a process number that is used again is not taken for it; empty where
	// the system does not tell.
	Start string `json:"start"`
}

// Ledger is a list on disk of what one headway process has made and not yet
// removed: a file of JSON lines that is synced before the thing is made. It
// is locked as long as the process lives, by the kernel, so that a process
// that was killed leaves an unlocked file, which [Sweep] finds. A Ledger may
// be used from several goroutines.
type Ledger struct {
	mu    sync.Mutex
	owner Owner
	path  string
	file  *os.File
	left  map[string]Entry
	n     int
}

// line is one line of the file: the owner first, then things made and gone.
type line struct {
	Owner *Owner `json:"owner,omitempty"`
	Made  *Entry `json:"made,omitempty"`
	Gone  string `json:"gone,omitempty"`
}

const ledgerSuffix = ".ledger.jsonl"

// OpenLedger begins a list in the folder, which is made if need be. The caller
// closes it.
func OpenLedger(dir string) (*Ledger, error) {
	fail := func(err error) (*Ledger, error) {
		return nil, fmt.Errorf("beginning the list of what is started, in %s: %w; set XDG_STATE_HOME to a folder "+
			"that can be written", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	host, err := os.Hostname()
	if err != nil {
		return fail(err)
	}
	l := &Ledger{owner: Owner{Host: host, PID: os.Getpid(), Start: processStart(os.Getpid())}, left: map[string]Entry{}}
	// The name appears when the file is locked: a sweep between the two would
	// take it for that of a dead process.
	if l.file, err = os.CreateTemp(dir, fmt.Sprintf(".%s-%d-*", host, l.owner.PID)); err != nil {
		return fail(err)
	}
	l.path = filepath.Join(dir, strings.TrimPrefix(filepath.Base(l.file.Name()), ".")+ledgerSuffix)
	if err = filelock.Try(l.file); err == nil || errors.Is(err, filelock.ErrUnknown) {
		err = l.write(line{Owner: &l.owner})
	}
	if err == nil {
		err = os.Rename(l.file.Name(), l.path)
	}
	if err != nil {
		_ = os.Remove(l.file.Name()) // nothing is in it
		_ = l.file.Close()
		return fail(err)
	}
	return l, nil
}

// Owner is this process, as the list has it.
func (l *Ledger) Owner() Owner { return l.owner }

// Add lists a thing that is about to be made, and returns the entry with its
// ID and time. When it cannot be written down it must not be made.
func (l *Ledger) Add(e Entry) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	e.ID, e.Made = fmt.Sprint(l.n), time.Now().UTC()
	return e, l.put(e)
}

// Update replaces what is known of a thing.
func (l *Ledger) Update(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.put(e)
}

func (l *Ledger) put(e Entry) error {
	if err := l.write(line{Made: &e}); err != nil {
		return fmt.Errorf("writing down %s before it is made: %w", e, err)
	}
	l.left[e.ID] = e
	return nil
}

// Gone takes a thing from the list.
func (l *Ledger) Gone(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.left, e.ID)
	if err := l.write(line{Gone: e.ID}); err != nil {
		return fmt.Errorf("writing down that %s is gone: %w", e, err)
	}
	return nil
}

// Left lists what has not gone, oldest first.
func (l *Ledger) Left() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return oldestFirst(l.left)
}

func oldestFirst(left map[string]Entry) []Entry {
	return slices.SortedFunc(maps.Values(left), func(a, b Entry) int { return a.Made.Compare(b.Made) })
}

// Close ends the list. The file stays when something is left, for a sweep.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if len(l.left) == 0 {
		err = os.Remove(l.path)
	}
	return errors.Join(err, l.file.Close())
}

func (l *Ledger) write(v line) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	// One write, so that a crash leaves at most one half line, at the end.
	if _, err := l.file.Write(append(data, '\n')); err != nil {
		return err
	}
	return l.file.Sync()
}

// readLedger reads a list. A last line that is cut short is of a thing that
// was not made.
func readLedger(r io.Reader) (Owner, map[string]Entry, error) {
	var owner Owner
	left := map[string]Entry{}
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			return owner, left, nil
		}
		if err != nil {
			return owner, left, err
		}
		var v line
		if err := json.Unmarshal(bytes.TrimSpace(text), &v); err != nil {
			return owner, left, fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case v.Owner != nil:
			owner = *v.Owner
		case v.Made != nil:
			left[v.Made.ID] = *v.Made
		case v.Gone != "":
			delete(left, v.Gone)
		}
	}
}
