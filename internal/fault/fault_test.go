package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"testing"
)

func flag(f Field) string { return "--" + string(f) }

// Every way an error can hold faults is read through, and what it is remains.
func TestNamed(t *testing.T) {
	one, two := New("%s %d: must be below %s", Field("min"), 3, Field("max")),
		New("%s: %w", Field("file"), fs.ErrNotExist)
	for _, c := range []struct {
		in          error
		plain, flag string
	}{
		{one, "min 3: must be below max", "--min 3: must be below --max"},
		{two, "file: file does not exist", "--file: file does not exist"},
		{fmt.Errorf("reading: %w", one), "reading: min 3: must be below max", "reading: --min 3: must be below --max"},
		{errors.Join(one, errors.New("min"), two), "min 3: must be below max\nmin\nfile: file does not exist",
			"--min 3: must be below --max\nmin\n--file: file does not exist"},
		{fmt.Errorf("%w, then %w", two, fmt.Errorf("x: %w", one)),
			"file: file does not exist, then x: min 3: must be below max",
			"--file: file does not exist, then x: --min 3: must be below --max"},
		{New("%s: %w", Field("outer"), one), "outer: min 3: must be below max",
			"--outer: --min 3: must be below --max"},
		{errors.New("min"), "min", "min"},
	} {
		got := Named(c.in, flag)
		if c.in.Error() != c.plain || got.Error() != c.flag || Named(got, flag).Error() != c.flag {
			t.Errorf("%q, named %q, twice %q; want %q and %q", c.in, got, Named(got, flag), c.plain, c.flag)
		}
		if errors.Is(got, fs.ErrNotExist) != errors.Is(c.in, fs.ErrNotExist) {
			t.Errorf("%q: naming it lost what it is", c.in)
		}
	}
	if Named(nil, flag) != nil {
		t.Error("no error became one")
	}
}

// The order is that of the texts, whatever was found first, and every check says
// what is allowed.
func TestList(t *testing.T) {
	var l List
	l.Positive("c", 0)
	l.NotNegative("d", math.NaN())
	l.Between("b", 2, 0, 1)
	l.OneOf("e", "x", "y", "z")
	l.Check(false, "a", 7, "even")
	l.Idle(map[string]bool{"f": true}, true, "f g", "h")
	l.Idle(map[string]bool{"f": true}, false, "f", "i")
	l.Join(nil, errors.Join(errors.New("n"), errors.Join(errors.New("m"))),
		fmt.Errorf("l: %w, %w", fs.ErrExist, fs.ErrClosed))
	l.Positive("fine", 1)
	want := `a 7: must be even
b 2: must lie from 0 to 1
c 0: must be above zero
d NaN: must not be negative
e "x": must be y or z
f: has no effect without h
l: file already exists, file already closed
m
n`
	if got := l.Err(); got == nil || got.Error() != want {
		t.Errorf("%v; want\n%s", got, want)
	}
	if (List{}).Err() != nil {
		t.Error("an empty list is an error")
	}
}

// Who takes joined errors apart keeps a fault whole, with a cause and without.
func TestFaultIsOne(t *testing.T) {
	for _, err := range []error{New("a"), New("%s: %w", Field("f"), fs.ErrExist),
		New("%w and %w", fs.ErrExist, fs.ErrClosed)} {
		if _, list := err.(interface{ Unwrap() []error }); list {
			t.Errorf("%v is taken for joined errors", err)
		}
		var all List
		if all.Join(errors.Join(err, errors.New("other"))); len(all) != 2 {
			t.Errorf("%v: %v", err, all)
		}
	}
	two := New("%w and %w", fs.ErrExist, fs.ErrClosed)
	if !errors.Is(two, fs.ErrExist) || !errors.Is(two, fs.ErrClosed) || errors.Is(New("a"), fs.ErrExist) {
		t.Error("causes are not found")
	}
}
