package terminal

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openPTY makes a pseudo-terminal. What is written to the terminal is sent to
// the channel when its side and that of the test are closed.
func openPTY(t *testing.T, columns, rows uint16) (terminal *os.File, output func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
	text := make(chan string, 1)
	go func() {
		var b strings.Builder
		buf := make([]byte, 4096)
		for {
			// The other side's closing comes as an error.
			n, err := master.Read(buf)
			if err != nil {
				break
			}
			b.Write(buf[:n])
		}
		text <- b.String()
	}()
	return terminal, func() string {
		terminal.Close()
		defer master.Close()
		return <-text
	}
}

func TestTerminal(t *testing.T) {
	tty, output := openPTY(t, 97, 30)
	if !IsTerminal(tty) || Columns(tty, "60") != 97 {
		t.Errorf("terminal %v, %d columns wide, want 97", IsTerminal(tty), Columns(tty, "60"))
	}
	output()
	tty, output = openPTY(t, 0, 0)
	if columns, rows := size(tty); columns != 80 || rows != 24 {
		t.Errorf("a terminal that does not tell is %d × %d", columns, rows)
	}
	output()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, f := range []*os.File{nil, file} {
		if IsTerminal(f) || Columns(f, "") != 0 || Columns(f, "60") != 60 || Columns(f, "wide") != 0 {
			t.Errorf("%v: terminal %v, width %d", f, IsTerminal(f), Columns(f, ""))
		}
		d := Start(f, func() State { t.Error("the state was asked for, with nothing to draw on"); return State{} })
		d.Stop()
	}
	if info, err := file.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes went to a file, %v", info.Size(), err)
	}
}

func TestStart(t *testing.T) {
	for _, test := range []struct {
		term, noColor  string
		drawn, colored bool
	}{
		{"xterm", "", true, true},
		{"xterm", "1", true, false},
		{"dumb", "", false, false},
	} {
		t.Setenv("TERM", test.term)
		t.Setenv("NO_COLOR", test.noColor)
		tty, output := openPTY(t, 81, 24)
		s := samples()["closed"]
		polled := make(chan struct{}, 100)
		d := Start(tty, func() State { polled <- struct{}{}; return s })
		if test.drawn {
			<-polled
			<-polled
		}
		d.Stop()
		d.Stop()
		got := output()
		if drawn := strings.Contains(got, "my-run"); drawn != test.drawn {
			t.Errorf("%+v: drawn %v:\n%q", test, drawn, got)
		}
		if colored := strings.Contains(got, "m3 failed\x1b["); colored != test.colored {
			t.Errorf("%+v: coloured %v:\n%q", test, colored, got)
		}
		if !test.drawn && got != "" {
			t.Errorf("%+v: %q was written", test, got)
		}
		if strings.LastIndex(got, "\x1b[?25l") > strings.LastIndex(got, "\x1b[?25h") {
			t.Errorf("%+v: the cursor is left hidden", test)
		}
	}
}
