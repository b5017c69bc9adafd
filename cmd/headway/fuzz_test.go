package main

import (
	"io"
	"strings"
	"testing"

	"headway/internal/cli"
)

// FuzzOptions: no command line makes the parser panic, and one that is refused
// is refused with words.
func FuzzOptions(f *testing.F) {
	for _, s := range []string{
		"bench --isl 20 --osl 5", "run --model m --request_rate=3 --extra-inputs {\"a\":1}", "run --concurrency 1,2",
		"bench -i -5 --concurrencies 1,,2", "sim serve --ttft 5ms --itl 1", "plot --data-dir x", "profile -vv -- --x",
		"run --workers-max --streaming", "router trace --load-sweep 1,2", "trace analyze x --json",
		"run --benchmark-duration inf",
		"--config", "run --goodput \"ttft:1 itl:2\"", "completion bash",
		"bench --no-plots --random-seed 18446744073709551616",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a := cli.App{Args: append([]string{"headway"}, strings.Fields(line)...), Stdout: io.Discard, Stderr: io.Discard,
			Exit: func(int) {}}
		a.Notes, a.Grammar = &cli.Notes{W: io.Discard}, commands()
		v, done, err := a.Parse()
		switch {
		case err != nil && err.Error() == "":
			t.Errorf("%q: refused without a word", line)
		case err == nil && !done && v == nil:
			t.Errorf("%q: nothing to run and no error", line)
		}
	})
}
