package workload

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"headway/internal/bound"
)

// ErrNotBuilt marks input that is understood and that headway cannot use yet, in
// contrast to input that is wrong.
var ErrNotBuilt = errors.New("not built yet")

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
	// BlockSize is how many tokens an id of hash_ids stands for; 0 is
	// [TraceBlock].
	BlockSize int
	// PartialIDs takes rows whose hash_ids name only the first, full blocks of
	// the prompt; its rest is then text of its own. Otherwise there must be an
	// id for every block, the last one included.
	PartialIDs bool
	// Model and LogType keep only the rows of a BurstGPT file that name them;
	// "" keeps all.
	Model   string
	LogType string
	// Limit stops reading once there are so many requests; 0 reads all. The
	// last conversation is not cut; see the function [Limit].
	Limit int
	// WholeSessions reads on after Limit where rows name their sessions: turns of
	// those that were begun may stand anywhere in the file.
	WholeSessions bool
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
	// Unwanted counts rows of other models and log types than were asked for.
	Unwanted int
	// Unknown counts rows by the name of a field that headway does not read, of at
	// most [MostUnknown] names; nil where there is none. Such a field is in no request.
	Unknown map[string]int
	// Timed says that the first request has a time of its own, which makes
	// the file a schedule.
	Timed bool
	// BlockSize is how many tokens a block id stands for; 0 where no request
	// has ids.
	BlockSize int
	// LiveTurns and RecordedTurns count the turns after the first whose
	// history is what was replied, and those that bring the recorded one.
	LiveTurns, RecordedTurns int

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
	f, err := bound.Open(path)
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
	if o.BlockSize == 0 {
		o.BlockSize = TraceBlock
	}
	if o.BlockSize < 1 || o.BlockSize > MaxTokens {
		return nil, fmt.Errorf("reading %s: block size %d: must be from 1 to %d tokens", name, o.BlockSize, MaxTokens)
	}
	c := collector{set: Dataset{Name: name, Format: o.Format}, options: o, taken: map[string]int{}}
	in := &input{r: r, name: name, options: o}
	for talk, err := range read(in) {
		if err == nil {
			err = c.add(talk)
		}
		if err != nil && !c.skip(err) {
			return nil, err
		}
		if o.Limit > 0 && c.requests >= o.Limit && !(o.WholeSessions && c.named) {
			break
		}
	}
	c.set.Unknown = in.unknown
	return c.finish()
}

// input is what a reader reads from.
type input struct {
	r       io.Reader
	name    string
	options ReadOptions
	before  int // lines that were read already
	unknown map[string]int
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
	earliest []time.Duration // start of each session's last turn
	ids      []string
	taken    map[string]int // session by id
	requests int
	named    bool          // a row named the session that it is a turn of
	last     time.Duration // the latest start of a session, or of any merged turn
}

// Why a well-formed entry is passed over.
var (
	errNothingAsked = errors.New("nobody asks anything that is then answered")
	errFailedThen   = errors.New("the recorded request failed: it has no response tokens")
	errUnwanted     = errors.New("of another model or log type than was asked for")
)

// skip says whether reading may go on after err, and counts it if so.
func (c *collector) skip(err error) bool {
	var line *LineError
	switch {
	case !errors.As(err, &line):
		return false
	case errors.Is(err, errUnwanted):
		c.set.Unwanted++
		return true
	case !c.options.Lenient && !errors.Is(err, errNothingAsked) && !errors.Is(err, errFailedThen):
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
	c.named = c.named || talk.merge && talk.id != ""
	i, there := c.taken[talk.id]
	there = there && talk.merge && talk.id != ""
	earliest := unknown
	if there {
		earliest = c.earliest[i]
	}
	earliest, err := c.apart(talk.turns, earliest)
	if err != nil {
		return err
	}
	c.requests += len(talk.turns)
	if there {
		c.earliest[i] = earliest
		c.sessions[i] = append(c.sessions[i], talk.turns...)
		return nil
	}
	c.earliest = append(c.earliest, earliest)
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
			return &LineError{c.set.Name, t.line, fmt.Errorf("time goes backwards: %s ms after %s ms; sort the "+
				"file by time",
				formatMillis(t.request.At), formatMillis(last))}
		}
		last = t.request.At
		if i == 0 {
			c.last = last
		}
	}
	return nil
}

// unknown is the earliest start of a turn of a session without times.
const unknown = time.Duration(-1)

// apart refuses a turn whose own time is not after that at which the turn before
// it can have begun at the earliest: both would be under way at once. It takes
// and returns that time for the last turn so far.
func (c *collector) apart(turns []turn, earliest time.Duration) (time.Duration, error) {
	for _, t := range turns {
		switch at := t.request.At; {
		case t.request.Timed && earliest != unknown && at <= earliest:
			return 0, &LineError{c.set.Name, t.line, fmt.Errorf(
				"the turn overlaps the one before it in its session: it is at %s ms, that one at %s ms or later",
				formatMillis(at), formatMillis(earliest))}
		case t.request.Timed:
			earliest = at
		case earliest != unknown:
			earliest += t.request.Delay
		}
	}
	return earliest, nil
}

// unique makes a name that no other session has.
func (c *collector) unique(id string) string {
	base := id
	if base == "" {
		base = unnamed(len(c.sessions) + 1)
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
		if d.Unwanted > 0 {
			return nil, fmt.Errorf("no requests in %s: %d rows are of another model or log type than model %q and "+
				"log type %q; leave them out to take all",
				d.Name, d.Unwanted, c.options.Model, c.options.LogType)
		}
		if d.FirstSkip != nil {
			return nil, fmt.Errorf("no requests in %s: all %d entries were skipped, the first for this: %w", d.Name,
				d.Skipped, d.FirstSkip)
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
			if n == 0 {
				r.Prompt.Whole = false
			}
			d.count(r)
			d.Requests = append(d.Requests, r)
			d.lines = append(d.lines, t.line)
		}
	}
	d.Sessions = len(c.sessions)
	d.Timed = d.Requests[0].Timed
	return &d, nil
}

// count keeps what is known of the whole in step with a request that is added.
func (d *Dataset) count(r Request) {
	d.BlockSize = max(d.BlockSize, r.Prompt.BlockSize)
	switch {
	case r.Turn == 0:
	case r.Prompt.Whole || r.Prompt.Payload != nil:
		d.RecordedTurns++
	default:
		d.LiveTurns++
	}
}
