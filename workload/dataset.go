package workload

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"time"
)

var (
	// ErrNotBuilt marks input that is understood and that headway cannot use
	// yet, in contrast to input that is wrong.
	ErrNotBuilt = errors.New("not built yet")
	// ErrHashIDs is returned for a trace that names its prompts by block ids.
	ErrHashIDs = fmt.Errorf("replay of hash_ids (shared prefix blocks): %w", ErrNotBuilt)
)

// LineError is a fault of one line of a file.
type LineError struct {
	Name string // of the file
	Line int    // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("reading %s:%d: %v", e.Name, e.Line, e.Err) }

// Unwrap returns the fault itself.
func (e *LineError) Unwrap() error { return e.Err }

// ReadOptions say how a file is read. The zero value detects the format and
// takes any faulty line for an error.
type ReadOptions struct {
	// Format of the file; Unknown looks at its content.
	Format Format
	// Lenient skips faulty lines and counts them.
	Lenient bool
	// AllTurns keeps every turn of a ShareGPT conversation; otherwise only
	// the first question is asked.
	AllTurns bool
	// Limit stops reading once there are so many requests; 0 reads all. The
	// last conversation is not cut; see the function [Limit].
	Limit int
}

// Dataset is the content of a file: planned requests in its order, the turns of
// a session together. Times are as in the file; see [Dataset.Fixed],
// [Dataset.Sample] and [Untimed] for ways to send it.
//
// A file is decoded line by line and kept as requests, not streamed into the
// run: its last line must be known to be good before the first byte is sent, and
// the turns of a session may be anywhere in it.
type Dataset struct {
	Name   string
	Format Format
	// Requests are all that was read.
	Requests []Request
	// Sessions is how many conversations they form.
	Sessions int
	// Skipped counts what was passed over: faulty lines, if that was asked
	// for, and conversations in which nobody asks anything. FirstSkip is the
	// reason of the first.
	Skipped   int
	FirstSkip error
	// Timed says that the first request has a time of its own, which makes
	// the file a schedule.
	Timed bool

	lines []int // of each request
}

// ReadFile reads a file of requests.
func ReadFile(path string, o ReadOptions) (*Dataset, error) {
	if o.Format == Unknown {
		var err error
		if o.Format, err = Detect(path); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading requests: %w", err)
	}
	defer f.Close()
	return Read(f, path, o)
}

// Read reads requests of the format that o names; name stands in messages. A fault
// of one line is a [LineError].
func Read(r io.Reader, name string, o ReadOptions) (*Dataset, error) {
	read := o.Format.reader()
	if read == nil {
		return nil, fmt.Errorf("reading %s: the format must be one of %s", name, formatList())
	}
	c := collector{set: Dataset{Name: name, Format: o.Format}, options: o, taken: map[string]int{}}
	for talk, err := range read(&input{r: r, name: name, allTurns: o.AllTurns}) {
		if err == nil {
			err = c.add(talk)
		}
		if err != nil && !c.skip(err) {
			return nil, err
		}
		if o.Limit > 0 && c.requests >= o.Limit {
			break
		}
	}
	return c.finish()
}

// input is what a reader reads from.
type input struct {
	r        io.Reader
	name     string
	allTurns bool
	before   int // lines that were read already
}

// at makes the error of a line.
func (in *input) at(line int, err error) error { return &LineError{in.name, line, err} }

// broken makes the error of a line after which nothing can be read.
func (in *input) broken(line int, err error) error {
	return fmt.Errorf("reading %s:%d: %w", in.name, line, err)
}

// conversation is what a reader makes of a line or an element: one session, or
// with merge one turn of the session that id names.
type conversation struct {
	id    string
	merge bool
	turns []turn
}

// turn is a Request that has no place in the plan yet.
type turn struct {
	line    int
	request Request
}

// reader yields the conversations of a file. After an error that is a LineError
// it goes on with the next line if it can.
type reader func(in *input) iter.Seq2[conversation, error]

// collector gathers conversations into sessions, in the order in which each
// first appears.
type collector struct {
	set      Dataset
	options  ReadOptions
	sessions [][]turn
	ids      []string
	taken    map[string]int // session by id
	requests int
	last     time.Duration // the latest start of a session, or of any merged turn
}

// errNothingAsked is why a well-formed conversation is passed over.
var errNothingAsked = errors.New("nobody asks anything that is then answered")

// skip says whether reading may go on after err, and counts it if so.
func (c *collector) skip(err error) bool {
	var line *LineError
	switch {
	case !errors.As(err, &line), errors.Is(err, ErrHashIDs):
		return false
	case !c.options.Lenient && !errors.Is(err, errNothingAsked):
		return false
	}
	c.set.Skipped++
	if c.set.FirstSkip == nil {
		c.set.FirstSkip = err
	}
	return true
}

func (c *collector) add(talk conversation) error {
	if err := c.inOrder(talk); err != nil {
		return err
	}
	c.requests += len(talk.turns)
	if i, ok := c.taken[talk.id]; ok && talk.merge && talk.id != "" {
		c.sessions[i] = append(c.sessions[i], talk.turns...)
		return nil
	}
	id := c.unique(talk.id)
	c.taken[id] = len(c.sessions)
	c.ids = append(c.ids, id)
	c.sessions = append(c.sessions, talk.turns)
	return nil
}

// inOrder refuses times that go backwards: within a conversation, and from the
// start of one to the start of the next. Sorting them silently would hide a file
// that was cut together wrongly.
func (c *collector) inOrder(talk conversation) error {
	last := c.last
	for i, t := range talk.turns {
		if !t.request.Timed {
			continue
		}
		if t.request.At < last {
			return &LineError{c.set.Name, t.line, fmt.Errorf("time goes backwards: %s ms after %s ms; sort the file by time",
				formatMillis(t.request.At), formatMillis(last))}
		}
		last = t.request.At
		if i == 0 {
			c.last = last
		}
	}
	return nil
}

// unique makes a name that no other session has.
func (c *collector) unique(id string) string {
	base := id
	if base == "" {
		base = "session_" + strconv.Itoa(len(c.sessions)+1)
		id = base
	}
	for n := 2; ; n++ {
		if _, there := c.taken[id]; !there {
			return id
		}
		id = base + "#" + strconv.Itoa(n)
	}
}

func (c *collector) finish() (*Dataset, error) {
	d := c.set
	if len(c.sessions) == 0 {
		if d.FirstSkip != nil {
			return nil, fmt.Errorf("no requests in %s: all %d entries were skipped, the first for this: %w", d.Name, d.Skipped, d.FirstSkip)
		}
		return nil, fmt.Errorf("no requests in %s: the file is empty", d.Name)
	}
	d.Requests = make([]Request, 0, c.requests)
	d.lines = make([]int, 0, c.requests)
	for i, turns := range c.sessions {
		for n, t := range turns {
			r := t.request
			r.Index = len(d.Requests)
			r.Session, r.Turn, r.Turns = c.ids[i], n, len(turns)
			d.Requests = append(d.Requests, r)
			d.lines = append(d.lines, t.line)
		}
	}
	d.Sessions = len(c.sessions)
	d.Timed = d.Requests[0].Timed
	return &d, nil
}
