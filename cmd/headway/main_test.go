package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite golden files and the expected output of scripts")

// The test binary is headway itself when it is started under that name, or
// under the name aiperf.
func TestMain(m *testing.M) {
	// Scripts wait more than they compute, for loads in real time.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"headway": main, "aiperf": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"answer": answer},
		Setup: func(e *testscript.Env) error {
			// Nothing of the machine's own may reach a test.
			e.Setenv("HEADWAY_MAX_LAG", "1h") // see patient
			e.Setenv("HF_HUB_OFFLINE", "1")
			e.Setenv("HF_HOME", filepath.Join(e.WorkDir, "hf"))
			return nil
		},
	})
}

// program is a path under which the test binary is headway.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "headway")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}
