package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Head is the status line and the fields of a reply. It lies in the bytes that
// were read: it is valid until the Handler's method returns.
type Head struct {
	Status int
	// Reason is the text after the status, often empty.
	Reason []byte
	// Length is the Content-Length, -1 where the length shows otherwise.
	Length int64

	fields []byte
	minor  int // of the version, HTTP/1.minor
}

// Get returns the first value of a field, "" when there is none. Case does not
// count in names.
func (h Head) Get(name string) string {
	var found string
	h.each(func(n, value []byte) bool {
		if len(n) == len(name) && strings.EqualFold(string(n), name) {
			found = string(value)
			return false
		}
		return true
	})
	return found
}

// each visits the fields until visit is false. A value that goes on in the
// next line (RFC 9112, section 5.2) is put together with one space.
func (h Head) each(visit func(name, value []byte) bool) {
	rest := h.fields
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = trimSpace(value)
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
			line, rest = cutLine(rest)
			value = append(append(value[:len(value):len(value)], ' '), trimSpace(line)...)
		}
		if !visit(name, trimSpace(value)) {
			return
		}
	}
}

// cutLine splits off the first line, without its end.
func cutLine(p []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(p, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

func trimSpace(p []byte) []byte { return bytes.Trim(p, " \t") }

// parseStatus reads the status line, without its end.
func parseStatus(line []byte) (Head, error) {
	version, status, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(version) != len("HTTP/1.1") || version[6] != '.' || version[7] < '0' || version[7] > '9' {
		return Head{}, fmt.Errorf("malformed HTTP response %q", clip(line))
	}
	if version[5] != '1' {
		return Head{}, fmt.Errorf("HTTP version %q is not 1.0 or 1.1", version)
	}
	code, reason, _ := bytes.Cut(bytes.TrimLeft(status, " "), []byte{' '})
	h := Head{Reason: reason, Length: -1, minor: int(version[7] - '0')}
	for _, c := range code {
		if c < '0' || c > '9' {
			h.Status = -1
			break
		}
		h.Status = 10*h.Status + int(c-'0')
	}
	if len(code) != 3 || h.Status < 0 {
		return Head{}, fmt.Errorf("malformed HTTP status code %q", clip(code))
	}
	return h, nil
}

// checkFields finds what makes the fields unreadable.
func checkFields(fields []byte) error {
	first := true
	for len(fields) > 0 {
		var line []byte
		line, fields = cutLine(fields)
		value := line
		if folded := line[0] == ' ' || line[0] == '\t'; !folded || first {
			i := bytes.IndexByte(line, ':')
			if i <= 0 || folded || !validName(line[:i]) {
				return fmt.Errorf("malformed HTTP header line %q", clip(line))
			}
			value = line[i+1:]
		}
		first = false
		for _, c := range value {
			if c < ' ' && c != '\t' || c == 0x7f {
				return fmt.Errorf("malformed HTTP header line %q", clip(line))
			}
		}
	}
	return nil
}

// validName is generous with spaces before the colon, as net/http is.
func validName(name []byte) bool {
	for _, c := range name {
		if c < ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

func clip(p []byte) []byte { return p[:min(len(p), 80)] }

// framing is what the fields say about where the body ends.
type framing struct {
	chunked bool
	close   bool // the connection ends with this reply
}

// framing reads the fields that matter for the body (RFC 9112, section 6) and
// sets h.Length. It is as strict as net/http: what two readers could take for
// two different lengths is refused.
func (h *Head) framing() (framing, error) {
	var f framing
	var encodings int
	var closes, keeps bool
	var wrong error
	h.each(func(name, value []byte) bool {
		switch {
		case named(name, "content-length"):
			n, ok := parseLength(value)
			if !ok || h.Length >= 0 && h.Length != n {
				wrong = fmt.Errorf("bad Content-Length %q", clip(value))
				return false
			}
			h.Length = n
		case named(name, "transfer-encoding") && h.minor > 0:
			if encodings++; encodings > 1 || !bytes.EqualFold(value, []byte("chunked")) {
				wrong = fmt.Errorf("unsupported transfer encoding %q", clip(value))
				return false
			}
			f.chunked = true
		case named(name, "connection"):
			closes = closes || hasToken(value, "close")
			keeps = keeps || hasToken(value, "keep-alive")
		}
		return true
	})
	if f.chunked {
		h.Length = -1
	}
	f.close = closes || h.minor == 0 && !keeps
	return f, wrong
}

func named(name []byte, want string) bool {
	return len(name) == len(want) && bytes.EqualFold(name, []byte(want))
}

func parseLength(p []byte) (int64, bool) {
	if len(p) == 0 || len(p) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// hasToken reports whether a list of tokens has one.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var t []byte
		t, list, _ = bytes.Cut(list, []byte{','})
		if bytes.EqualFold(trimSpace(t), []byte(token)) {
			return true
		}
	}
	return false
}

// ErrMalformed is what every error about bytes that are not HTTP/1.1 matches.
var ErrMalformed = errors.New("not HTTP/1.1")

// malformed makes err match ErrMalformed without changing its words.
type malformed struct{ error }

func (malformed) Is(target error) bool { return target == ErrMalformed }
