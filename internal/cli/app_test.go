package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"headway/internal/fault"
)

// Every error is told, but that nobody reads standard output any more.
func TestErrorsAreTold(t *testing.T) {
	left := &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EPIPE}
	for _, c := range []struct {
		err  error
		told string
		code int
	}{
		{fault.New("%s 3: too small", fault.Field("isl")), "headway: --isl 3: too small\n", Failed},
		{fault.New("%w; see %s", errors.New("no"), fault.Field("help")), "headway: no; see --help\n", Failed},
		{fault.Usage(fault.New("%s: missing", fault.Field("url"))), "headway: --url: missing\n", Usage},
		{fmt.Errorf("opening: %w", fault.New("%s", fault.Field("x"))), "headway: opening: --x\n", Failed},
		{errors.Join(errors.New("a"), fault.New("b")), "headway: a\nheadway: b\n", Failed},
		{errors.Join(left, fault.New("b")), "b\n", Failed},
		{left, "", Failed},
		{errors.Join(left, left), "", Failed},
		{fault.NotBuilt{What: "--x"}, "headway: --x: not built in headway yet\n", Usage},
	} {
		var said bytes.Buffer
		code := App{Notes: &Notes{W: &said}}.report(Failed, c.err)
		if code != c.code || !strings.HasSuffix(said.String(), c.told) || c.told == "" && said.Len() > 0 {
			t.Errorf("%v: code %d and %q, want %d and %q", c.err, code, said.String(), c.code, c.told)
		}
	}
}
