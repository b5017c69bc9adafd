package cluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

// writeKind says what a write to the socket carried.
type writeKind uint8

const (
	kindHead writeKind = iota
	kindRole
	kindToken
	kindFinish
	kindUsage
	kindDone
	kindGarbage
	kindBody
)

// String is the kind's name in the log.
func (k writeKind) String() string {
	return [...]string{"head", "role", "token", "finish", "usage", "done", "garbage", "body"}[k]
}

// What became of a request, as the log says it.
const (
	outcomeOK        = "ok"        // answered as asked
	outcomeRejected  = "rejected"  // refused with a 4xx
	outcomeError     = "error"     // refused with a 5xx, simulated ones included
	outcomeCut       = "cut"       // the stream was broken off on purpose
	outcomeCancelled = "cancelled" // the client went away first
)

// logEntry is one line of the log; docs/format-simlog.md describes it. Times
// are wall-clock nanoseconds since 1970, 0 where something did not happen.
type logEntry struct {
	RequestID      string `json:"request_id"`
	CorrelationID  string `json:"correlation_id"`
	Path           string `json:"path"`
	Status         int    `json:"status"`
	Outcome        string `json:"outcome"`
	ReceivedNs     int64  `json:"received_ns"`
	ReceivedKernel bool   `json:"received_kernel"`
	PromptTokens   int    `json:"prompt_tokens"`
	OutputTokens   int    `json:"output_tokens"`
	Worker         int    `json:"worker"` // that answered, -1 where none did
	CachedTokens   int    `json:"cached_tokens"`
	// TierTokens are those of CachedTokens that tiers below the GPU had, by name.
	TierTokens map[string]int `json:"tier_tokens,omitempty"`
	Engine     struct {
		SubmittedNs int64 `json:"submitted_ns"`
		AdmittedNs  int64 `json:"admitted_ns"`
		FirstNs     int64 `json:"first_ns"`
		FinishedNs  int64 `json:"finished_ns"`
	} `json:"engine"`
	Writes []loggedWrite `json:"writes"`
}

// loggedWrite is one write to the socket: the clock right before and right
// after it.
type loggedWrite struct {
	kind          writeKind
	before, after int64
}

// MarshalJSON writes [kind, before, after].
func (w loggedWrite) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 64), `["`...)
	b = append(b, w.kind.String()...)
	b = append(b, `",`...)
	b = strconv.AppendInt(b, w.before, 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, w.after, 10)
	return append(b, ']'), nil
}

func (e *logEntry) received(at time.Time, kernel bool) {
	e.ReceivedNs, e.ReceivedKernel = at.UnixNano(), kernel
}

func (e *logEntry) wrote(k writeKind, before, after time.Time) {
	e.Writes = append(e.Writes, loggedWrite{k, before.UnixNano(), after.UnixNano()})
}

// stations takes over the engine's times.
func (e *logEntry) stations(d *driver, t timeline) {
	wall := func(t time.Duration) int64 {
		if t == 0 {
			return 0
		}
		return d.wall(t).UnixNano()
	}
	e.Engine.SubmittedNs = wall(t.submitted)
	e.Engine.AdmittedNs = wall(t.admitted)
	e.Engine.FirstNs = wall(t.first)
	e.Engine.FinishedNs = wall(t.finish)
}

// served notes which worker answered, and what its caches had.
func (e *logEntry) served(at seat, tiers []TierConfig) {
	e.Worker, e.CachedTokens = at.worker, at.cached
	for i, t := range tiers {
		if e.TierTokens == nil {
			e.TierTokens = map[string]int{}
		}
		e.TierTokens[t.Name] = at.tiered[i]
	}
}

// truthLog writes entries from a goroutine of its own, so that encoding them
// takes no time between the writes of a reply.
type truthLog struct {
	entries chan *logEntry
	out     *bufio.Writer
	err     error // the first one; read it after run has returned
}

func newTruthLog(w io.Writer) *truthLog {
	return &truthLog{entries: make(chan *logEntry, 4096), out: bufio.NewWriterSize(w, 256<<10)}
}

// add queues a finished entry. When the writer is that far behind it waits,
// at the end of a reply and not within one.
func (l *truthLog) add(e *logEntry) { l.entries <- e }

// close ends run once everything is written. No add may follow.
func (l *truthLog) close() { close(l.entries) }

// run writes until close. After an error it goes on taking entries, so that
// nobody waits for a log that is lost.
func (l *truthLog) run() {
	enc := json.NewEncoder(l.out)
	for e := range l.entries {
		if l.err == nil {
			l.err = enc.Encode(e)
		}
		// Whoever reads along sees a reply once it has ended. While others wait
		// they are written together.
		if l.err == nil && len(l.entries) == 0 {
			l.err = l.out.Flush()
		}
	}
	if l.err == nil {
		l.err = l.out.Flush()
	}
	if l.err != nil {
		l.err = fmt.Errorf("writing the log of the simulated endpoint: %w", l.err)
	}
}
