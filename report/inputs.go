package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Inputs writes inputs.json, the body of every request by session, one session
// after the other, so that the whole never is in memory.
type Inputs struct {
	w       *bufio.Writer
	secrets Redactor
	buf     bytes.Buffer
	n       int
}

// NewInputs begins the file. Bodies stay as they were sent, but for values that
// secrets knows.
func NewInputs(w io.Writer, secrets Redactor) *Inputs {
	return &Inputs{w: bufio.NewWriterSize(w, 64<<10), secrets: secrets}
}

// Add writes one session and the bodies of its turns, each a JSON value.
func (in *Inputs) Add(session string, payloads []json.RawMessage) error {
	b := &in.buf
	b.Reset()
	if in.n == 0 {
		b.WriteString("{\n  \"data\": [\n")
	} else {
		b.WriteString(",\n")
	}
	in.n++
	b.WriteString("    {\n      \"session_id\": ")
	b.Write(appendString(nil, session))
	b.WriteString(",\n      \"payloads\": [")
	for i, p := range payloads {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n        ")
		if err := json.Indent(b, in.secrets.Body(p), "        ", "  "); err != nil {
			return fmt.Errorf("writing inputs.json: body %d of session %q is not JSON: %w", i, session, err)
		}
	}
	if len(payloads) > 0 {
		b.WriteString("\n      ")
	}
	b.WriteString("]\n    }")
	_, err := in.w.Write(b.Bytes())
	return err
}

// Close ends the file; what it was written to stays the caller's.
func (in *Inputs) Close() error {
	end := "\n  ]\n}"
	if in.n == 0 {
		end = "{\n  \"data\": []\n}"
	}
	if _, err := in.w.WriteString(end); err != nil {
		return err
	}
	return in.w.Flush()
}
