package terminal

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// fakeTerminal is a terminal of its own: it understands what a Display writes
// and panics at anything else. Every character is one column wide.
type fakeTerminal struct {
	mu            sync.Mutex // held in Write; tests hold it to look
	columns, rows int
	lines         []fakeLine // from the top of the scrollback
	x, y          int        // y counts from the top of the scrollback
	hidden        bool
	log           strings.Builder
	err           error
}

type fakeLine struct {
	text []rune
	// folded is set when the line goes on in the next one because the
	// terminal was made narrower.
	folded bool
}

func newFakeTerminal(columns, rows int) *fakeTerminal {
	return &fakeTerminal{columns: columns, rows: rows, lines: make([]fakeLine, 1)}
}

func (f *fakeTerminal) size() (int, int) { return f.columns, f.rows }

func (f *fakeTerminal) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	f.log.Write(p)
	for s := string(p); s != ""; {
		if rest, ok := strings.CutPrefix(s, "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			f.sequence(rest[:end], rest[end])
			s = rest[end+1:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		f.char(r)
		s = s[n:]
	}
	return len(p), nil
}

func (f *fakeTerminal) char(r rune) {
	switch {
	case r == '\r':
		f.x = 0
	case r == '\n':
		f.y++
		if f.y == len(f.lines) {
			f.lines = append(f.lines, fakeLine{})
		}
	case r < ' ' || f.x >= f.columns-1:
		panic("the display writes " + strconv.QuoteRune(r) + " in column " + strconv.Itoa(f.x))
	default:
		l := &f.lines[f.y]
		for len(l.text) <= f.x {
			l.text = append(l.text, ' ')
		}
		l.text[f.x] = r
		f.x++
	}
}

func (f *fakeTerminal) sequence(args string, final byte) {
	switch {
	case final == 'A':
		n, _ := strconv.Atoi(args)
		f.y = max(f.y-max(1, n), f.top())
	case final == 'J' && args == "" && f.x == 0 && f.y == f.top():
		panic("the display clears the whole screen, which some terminals keep a copy of")
	case final == 'K' && args == "":
		f.eraseRight()
	case final == 'J' && args == "":
		f.eraseRight()
		for i := f.y + 1; i < len(f.lines); i++ {
			f.lines[i] = fakeLine{}
		}
	case final == 'h' && args == "?25":
		f.hidden = false
	case final == 'l' && args == "?25":
		f.hidden = true
	case final == 'm':
	default:
		panic("the display writes ESC [ " + args + string(final))
	}
}

func (f *fakeTerminal) eraseRight() {
	l := &f.lines[f.y]
	l.text, l.folded = l.text[:min(len(l.text), f.x)], false
}

// top is the uppermost line on the screen: the cursor cannot leave it.
func (f *fakeTerminal) top() int { return max(0, len(f.lines)-f.rows) }

// resize folds lines anew, as most terminals do.
func (f *fakeTerminal) resize(columns int) {
	f.columns = columns
	var out []fakeLine
	y := f.y
	for i := 0; i < len(f.lines); i++ {
		if i == f.y {
			y = len(out)
		}
		text := f.lines[i].text
		for f.lines[i].folded {
			i++
			text = append(text, f.lines[i].text...)
		}
		for len(text) > columns {
			out = append(out, fakeLine{text[:columns:columns], true})
			text = text[columns:]
		}
		out = append(out, fakeLine{text: text})
	}
	f.lines, f.y = out, y
}

// text is all that is on the terminal, without the empty lines at its end.
func (f *fakeTerminal) text() string {
	var b strings.Builder
	for _, l := range f.lines {
		b.WriteString(strings.TrimRight(string(l.text), " "))
		if !l.folded {
			b.WriteByte('\n')
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
