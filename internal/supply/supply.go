// Package supply says what a binary is made of: the modules that are linked, their
// licences and the list of it all that other programs read.
//
// NOTICE and THIRD_PARTY_LICENSES, in the root of the repository, are written by
// this package's test with -update, from `go list -deps` and the module cache.
// What a binary holds is read of the build information that Go's linker leaves in
// it, so the list is of that binary and not of go.mod. The package downloads
// nothing and asks no service.
package supply

import (
	"fmt"
	"strings"
)

// Module is a module that is linked, with its licences as an SPDX expression.
type Module struct {
	Path, Version string
	License       string
}

// StandardLibrary is the name under which Go's own library stands.
const StandardLibrary = "std"

// FromNPM is before the name of what is of the npm registry and embedded as it is.
const FromNPM = "npm:"

// ParseNotice reads the modules of a NOTICE: lines of a path, a version and an
// SPDX expression, indented by two blanks. Other lines are text.
func ParseNotice(notice string) ([]Module, error) {
	var list []Module
	for line := range strings.SplitSeq(notice, "\n") {
		rest, indented := strings.CutPrefix(line, "  ")
		if !indented {
			if len(list) > 0 && line == "" {
				break // the table ends
			}
			continue
		}
		f := strings.Fields(rest)
		if len(f) < 3 {
			return nil, fmt.Errorf("reading NOTICE: %q is not a module, a version and a licence", line)
		}
		list = append(list, Module{Path: f[0], Version: f[1], License: strings.Join(f[2:], " ")})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("reading NOTICE: it names no module")
	}
	return list, nil
}
