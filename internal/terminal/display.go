package terminal

import (
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// interval is the time between two frames: often enough to look alive, seldom
// enough to leave the measurement alone (BenchmarkFrame: 60 µs, so that eight a
// second are 0.05 % of a core).
const interval = time.Second / 8

// Display draws on a terminal until it is stopped.
type Display struct {
	once  sync.Once
	stop  chan struct{}
	ended chan struct{}
}

// Start draws what poll says on the terminal out, now and eight times a
// second, below what is already there. poll is called from one goroutine, up
// to the return of Stop.
//
// Nothing is drawn where out is not a terminal or is one that cannot move its
// cursor (TERM=dumb). A non-empty NO_COLOR leaves out colours and weights.
func Start(out *os.File, poll func() State) *Display {
	if !IsTerminal(out) || !drawable(os.Getenv("TERM"), runtime.GOOS) {
		return &Display{}
	}
	s := &screen{out: out, size: func() (int, int) { return size(out) }, color: os.Getenv("NO_COLOR") == ""}
	return start(s, poll)
}

// drawable says whether a terminal of that TERM knows the ANSI sequences.
// Windows sets no TERM for terminals that do.
func drawable(term, goos string) bool {
	return term != "dumb" && (term != "" || goos == "windows")
}

func start(s *screen, poll func() State) *Display {
	d := &Display{stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		s.run(poll, d.stop)
	}()
	return d
}

// Stop ends drawing, erases the display and puts the cursor back to where it
// was at the start. It may be called more than once and returns when the
// terminal is clean.
func (d *Display) Stop() {
	d.once.Do(func() {
		if d.stop != nil {
			close(d.stop)
			<-d.ended
		}
	})
}

// screen is the part of a terminal below what was written before.
//
// Between frames the cursor is shown and stands at the start of the empty line
// below the display. So a program that is killed leaves a usable prompt, and
// the "^C" that a terminal in its normal mode echoes falls where the next
// frame erases it. A library that redraws only changed cells cannot be used
// here: the echo moves the cursor under it, and the display falls apart.
type screen struct {
	out   io.Writer
	size  func() (columns, rows int)
	color bool

	shown   []string // lines of the last frame
	columns int      // of the terminal when they were drawn
}

func (s *screen) run(poll func() State, stop <-chan struct{}) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for s.draw(poll()) == nil {
		select {
		case <-t.C:
		case <-stop:
			s.erase()
			return
		}
	}
	// The terminal is gone: there is nothing to draw on and nothing to clean.
}

// draw replaces the display by that of a state, in one write so that no half
// frame is seen. The last column stays empty, since a terminal that has
// written it may or may not be on the next line.
func (s *screen) draw(state State) error {
	columns, rows := s.size()
	lines := strings.Split(View(state, columns-1, s.color), "\n")
	lines = lines[:min(len(lines), max(1, rows-1))]
	var b strings.Builder
	b.WriteString(ansi.HideCursor)
	s.home(&b, columns)
	for _, l := range lines {
		b.WriteString(l + ansi.EraseLineRight + "\r\n")
	}
	b.WriteString(ansi.EraseScreenBelow + ansi.ShowCursor)
	s.shown, s.columns = lines, columns
	_, err := io.WriteString(s.out, b.String())
	return err
}

// erase leaves the terminal as it was before the first frame. That it may fail
// is of no use to anyone: the terminal is gone then.
func (s *screen) erase() {
	columns, _ := s.size()
	var b strings.Builder
	s.home(&b, columns)
	// Not one sequence for all: where the display begins in the top row,
	// tmux takes that for the clearing of a screen worth keeping and moves
	// the display to its scrollback.
	b.WriteString(ansi.EraseLineRight + "\r\n" + ansi.EraseScreenBelow + ansi.CursorUp(1))
	io.WriteString(s.out, b.String())
	s.shown = nil
}

// home moves the cursor to the first line of the display. A terminal that was
// made narrower since has folded lines that no longer fit, so that they take
// several rows. (The few that cut them off instead lose as many rows above the
// display; the alternative leaves torn rows behind in all others.)
func (s *screen) home(b *strings.Builder, columns int) {
	b.WriteString("\r")
	up := 0
	for _, l := range s.shown {
		up++
		if columns < s.columns {
			up += max(0, ansi.StringWidth(l)-1) / max(1, columns)
		}
	}
	if up > 0 {
		b.WriteString(ansi.CursorUp(up))
	}
}
