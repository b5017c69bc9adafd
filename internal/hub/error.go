package hub

import (
	"fmt"
	"strings"
)

// Kind says why there is no file, for callers that go on differently.
type Kind int

const (
	NotFound     Kind = iota + 1 // the model, the revision or the file does not exist
	Unauthorized                 // the hub wants a token, or the token's owner has no access
	Offline                      // the hub cannot be reached, or must not be
	BadName                      // the name of the model, the revision or the file is none
	Server                       // the hub answered something that is of no use
	Incomplete                   // the download broke off or is damaged
	Storage                      // the cache cannot be written
)

func (k Kind) String() string {
	switch k {
	case NotFound:
		return "not found"
	case Unauthorized:
		return "no access"
	case Offline:
		return "offline"
	case BadName:
		return "not a valid name"
	case Server:
		return "the hub failed"
	case Incomplete:
		return "incomplete download"
	case Storage:
		return "the cache cannot be written"
	}
	return "unknown"
}

// Error says which file of which model could not be had, why, and what to do
// about it. It never holds the token.
type Error struct {
	Model, File string
	Kind        Kind
	Detail      string // what was found; may be empty
	Err         error  // the cause; may be nil
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "getting %s of model %q: %s", e.File, e.Model, e.Kind)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if advice := e.advice(); advice != "" {
		b.WriteString("; " + advice)
	}
	return b.String()
}

func (e *Error) advice() string {
	switch e.Kind {
	case NotFound:
		return "check the name of the model, or give the path of a folder that has " + e.File
	case Unauthorized:
		return "set HF_TOKEN to a token that may read the model, and accept the model's licence on its page"
	case Offline:
		return "put " + e.File + " in a folder and give its path, or set HF_HOME to a cache that has it" + e.builtin()
	case BadName:
		return `a model is "name" or "organisation/name", or the path of a folder`
	case Server:
		return "try again later, or check HF_ENDPOINT"
	case Incomplete:
		return "try again: nothing was kept"
	case Storage:
		return "set HF_HOME to a folder that can be written"
	}
	return ""
}

// builtin is the way out that only the lack of a tokenizer has.
func (e *Error) builtin() string {
	if e.File != "tokenizer.json" {
		return ""
	}
	return ", or use --tokenizer builtin"
}
