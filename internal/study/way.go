package study

import (
	"fmt"

	"headway/record"
)

// Way watches what leads to the servers, from the call on. What it returns says whether
// that broke since; failed says that requests did, so that it may have broken just now.
// Nil watches nothing.
type Way func() (broke func(failed bool) bool)

// CodeWayBroke is the code of the warning that the way to the servers broke during a load.
const CodeWayBroke = "way_broke"

// watch begins, and gives the warning of a load in which so many requests failed.
func (w Way) watch() func(failed int) []record.Warning {
	if w == nil {
		return func(int) []record.Warning { return nil }
	}
	broke := w()
	return func(failed int) []record.Warning {
		if !broke(failed > 0) {
			return nil
		}
		return []record.Warning{{Code: CodeWayBroke, Text: fmt.Sprintf("the port-forward broke during the load: "+
			"%d requests failed, of it or of the server, and others may have waited for a new one", failed)}}
	}
}
