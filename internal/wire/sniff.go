package wire

import (
	"bytes"
	"slices"
)

// fieldNames are the fields of server-sent events; a comment has an empty name.
var fieldNames = [...]string{"data", "event", "id", "retry"}

// LooksLikeEvents says by its first bytes whether a body is an event stream:
// its first line that is not blank is a comment or begins with the name of a
// field and a colon. sure is false while p is too short to tell. Neither JSON
// nor HTML begins like that.
func LooksLikeEvents(p []byte) (events, sure bool) {
	const mark = "\xef\xbb\xbf"
	if len(p) < len(mark) && bytes.HasPrefix([]byte(mark), p) {
		return false, false
	}
	p = bytes.TrimLeft(bytes.TrimPrefix(p, []byte(mark)), "\r\n")
	if len(p) == 0 {
		return false, false
	}
	if p[0] == ':' {
		return true, true
	}
	name, _, colon := bytes.Cut(p, []byte{':'})
	if slices.Contains(fieldNames[:], string(name)) {
		return colon, colon // without the colon it is not here yet
	}
	return false, !beginsField(p)
}

// beginsField reports whether a line is the beginning of a field's name, and
// not all of it.
func beginsField(line []byte) bool {
	for _, f := range fieldNames {
		if len(line) < len(f) && f[:len(line)] == string(line) {
			return true
		}
	}
	return false
}
