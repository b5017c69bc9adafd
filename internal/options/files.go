package options

import "headway/internal/fault"

// Connections refuses a load that needs more open files than this process may
// have: each open session is a connection, beside the few files of our own.
func Connections(bad *fault.List, name fault.Field, sessions int) {
	if limit, known := openFiles(); known && sessions > limit-spareFiles {
		bad.Add("%s %d: this process may have %d files open and needs one for each session; raise it with ulimit -n %d",
			name, sessions, limit, sessions+spareFiles)
	}
}

// spareFiles is what a run needs beside its connections.
const spareFiles = 64
