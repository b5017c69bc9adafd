package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// answer is a command of scripts: "answer TYPE FILE…" serves the files as
// replies of that content type, in turn, whatever was asked, and sets URL. TYPE
// "none" sends none; \0 in a file is a NUL.
func answer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: answer TYPE FILE...")
	}
	var bodies []string
	for _, name := range args[1:] {
		bodies = append(bodies, strings.ReplaceAll(ts.ReadFile(name), `\0`, "\x00"))
	}
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = []string{args[0]}
		if args[0] == "none" {
			w.Header()["Content-Type"] = nil
		}
		body := bodies[int(n.Add(1)-1)%len(bodies)]
		for event := range strings.SplitAfterSeq(body, "\n\n") {
			if _, err := w.Write([]byte(event)); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	}))
	ts.Defer(s.Close)
	ts.Setenv("URL", s.URL)
}
