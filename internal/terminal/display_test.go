package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func plainScreen(f *fakeTerminal) *screen { return &screen{out: f, size: f.size} }

func TestDisplayDrawsAndCleans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTerminal(81, 20)
		io.WriteString(f, "$ headway bench\r\n")
		polls := 0
		s := samples()["closed"]
		d := start(plainScreen(f), func() State {
			f.mu.Lock()
			defer f.mu.Unlock()
			polls++
			s.Snapshot.Finished++
			return s
		})
		check := func(frames int) {
			synctest.Wait()
			f.mu.Lock()
			defer f.mu.Unlock()
			if polls != frames {
				t.Fatalf("the state was asked for %d times, want %d", polls, frames)
			}
			view := View(s, 80, false)
			if want := "$ headway bench\n" + view; f.text() != want {
				t.Fatalf("the terminal shows\n%s\nwant\n%s", f.text(), want)
			}
			if f.hidden || f.x != 0 || f.y != 1+strings.Count(view, "\n")+1 {
				t.Fatalf("the cursor is at %d, %d, hidden %v; it should stand below the display", f.x, f.y, f.hidden)
			}
		}
		for i := range 17 {
			check(i + 1)
			time.Sleep(interval)
		}
		d.Stop()
		if f.text() != "$ headway bench" || f.x != 0 || f.y != 1 || f.hidden {
			t.Errorf("after Stop the cursor is at %d, %d, hidden %v, below\n%s", f.x, f.y, f.hidden, f.text())
		}
		written := f.log.Len()
		d.Stop()
		time.Sleep(10 * interval)
		synctest.Wait()
		if f.log.Len() != written {
			t.Error("something was written after Stop")
		}
	})
}

// What the terminal echoes for Ctrl-C is gone with the next frame.
func TestEchoIsErased(t *testing.T) {
	f := newFakeTerminal(81, 20)
	scr, s := plainScreen(f), samples()["closed"]
	scr.draw(s)
	io.WriteString(f, "^C")
	scr.draw(s)
	if want := View(s, 80, false); f.text() != want {
		t.Errorf("the terminal shows\n%s\nwant\n%s", f.text(), want)
	}
}

// Whatever states, sizes and echoes come, what was on the terminal before
// stays, the display is that of the last state, and Stop takes it away.
func TestScreenProperty(t *testing.T) {
	var all []State
	for _, s := range samples() {
		all = append(all, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := newFakeTerminal(rapid.IntRange(30, 140).Draw(t, "columns"), rapid.IntRange(4, 14).Draw(t, "rows"))
		var before strings.Builder
		for i := range rapid.IntRange(0, 20).Draw(t, "lines before") {
			fmt.Fprintf(&before, "line %d\n", i)
		}
		io.WriteString(f, strings.ReplaceAll(before.String(), "\n", "\r\n"))
		scr := plainScreen(f)
		for range rapid.IntRange(1, 8).Draw(t, "frames") {
			s := rapid.SampledFrom(all).Draw(t, "state")
			scr.draw(s)
			shown := strings.Split(View(s, f.columns-1, false), "\n")
			shown = shown[:min(len(shown), f.rows-1)]
			if want := strings.TrimRight(before.String()+strings.Join(shown, "\n"), "\n"); f.text() != want {
				t.Fatalf("the terminal shows\n%s\nwant\n%s", f.text(), want)
			}
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				io.WriteString(f, "^C")
			case 1:
				// Where the folded display is higher than the screen, its
				// first rows are out of reach for good: not asked for here.
				f.rows = 200
				f.resize(rapid.IntRange(30, 140).Draw(t, "new columns"))
			}
		}
		scr.erase()
		if want := strings.TrimRight(before.String(), "\n"); f.text() != want || f.x != 0 || f.hidden {
			t.Fatalf("after the end the terminal shows\n%s\nwant\n%s", f.text(), want)
		}
	})
}

func TestDisplayEndsWithItsTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTerminal(80, 20)
		f.err = errors.New("gone")
		polls := 0
		d := start(plainScreen(f), func() State { polls++; return State{} })
		time.Sleep(10 * interval)
		synctest.Wait()
		if polls != 1 {
			t.Errorf("the state was asked for %d times after the terminal had gone", polls)
		}
		d.Stop()
	})
}

func TestStopFromManyGoroutines(t *testing.T) {
	f := newFakeTerminal(80, 20)
	d := start(plainScreen(f), func() State { return State{} })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d.Stop()
			if f.text() != "" {
				t.Error("Stop returned before the terminal was clean")
			}
		})
	}
	wg.Wait()
}

func TestDrawable(t *testing.T) {
	for _, test := range []struct {
		term, goos string
		want       bool
	}{{"xterm-256color", "linux", true}, {"dumb", "linux", false}, {"", "linux", false}, {"", "windows", true},
		{"dumb", "windows", false}} {
		if got := drawable(test.term, test.goos); got != test.want {
			t.Errorf("TERM=%q on %s: %v", test.term, test.goos, got)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	s := &screen{out: io.Discard, size: func() (int, int) { return 80, 24 }, color: true}
	state := samples()["closed"]
	for b.Loop() {
		s.draw(state)
	}
}
