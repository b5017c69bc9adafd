package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
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

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// parseStatus reads the status line, without its end, and says what is wrong with
// it in the words of net/http.
func parseStatus(line []byte) (Head, error) {
	version, status, ok := bytes.Cut(line, []byte{' '})
	if !ok {
		return Head{}, fmt.Errorf("malformed HTTP response %q", clip(line))
	}
	code, reason, _ := bytes.Cut(bytes.TrimLeft(status, " "), []byte{' '})
	h := Head{Reason: reason, Length: -1}
	for _, c := range code {
		if !isDigit(c) {
			h.Status = -1
			break
		}
		h.Status = 10*h.Status + int(c-'0')
	}
	if len(code) != 3 || h.Status < 100 {
		return Head{}, fmt.Errorf("malformed HTTP status code %q", clip(code))
	}
	if len(version) != len("HTTP/1.1") || !isDigit(version[5]) || version[6] != '.' || !isDigit(version[7]) {
		return Head{}, fmt.Errorf("malformed HTTP version %q", clip(version))
	}
	if version[5] != '1' {
		return Head{}, fmt.Errorf("HTTP version %q is not 1.0 or 1.1", version)
	}
	h.minor = int(version[7] - '0')
	return h, nil
}

// checkFields finds what makes the fields unreadable, in the words of
// net/textproto.
func checkFields(fields []byte) error {
	first := true
	for len(fields) > 0 {
		var line []byte
		line, fields = cutLine(fields)
		value := line
		if folded := line[0] == ' ' || line[0] == '\t'; !folded || first {
			i := bytes.IndexByte(line, ':')
			switch {
			case folded:
				return fmt.Errorf("malformed MIME header initial line: %q", clip(line))
			case i < 0:
				return fmt.Errorf("malformed MIME header: missing colon: %q", clip(line))
			case i == 0 || !validName(line[:i]):
				return fmt.Errorf("malformed MIME header line: %q", clip(line))
			}
			value = line[i+1:]
		}
		first = false
		for _, c := range value {
			if c < ' ' && c != '\t' || c == 0x7f {
				return fmt.Errorf("malformed MIME header line: %q", clip(line))
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

// clip bounds what of a line is in an error.
func clip(p []byte) []byte { return p[:min(len(p), 2048)] }

// framing is what the fields say about where the body ends.
type framing struct {
	chunked bool
	close   bool // the connection ends with this reply
}

// framing reads the fields that matter for the body (RFC 9112, section 6) and
// sets h.Length. It is as strict as net/http and says the same, in the same order:
// what two readers could take for two different lengths is refused.
func (h *Head) framing() (framing, error) {
	var f framing
	var encoding, length values
	var closes, keeps bool
	h.each(func(name, value []byte) bool {
		switch {
		case named(name, "content-length"):
			length.add(value)
		case named(name, "transfer-encoding") && h.minor > 0:
			encoding.add(value)
		case named(name, "connection"):
			closes = closes || hasToken(value, "close")
			keeps = keeps || hasToken(value, "keep-alive")
		}
		return true
	})
	f.close = closes || h.minor == 0 && !keeps
	f.chunked = encoding.n > 0
	switch {
	case encoding.n > 1:
		return f, fmt.Errorf("too many transfer encodings: %q", h.all("transfer-encoding"))
	case f.chunked && !bytes.EqualFold(encoding.first, []byte("chunked")):
		return f, fmt.Errorf("unsupported transfer encoding: %q", clip(encoding.first))
	case length.differ:
		return f, fmt.Errorf("http: message cannot contain multiple Content-Length headers; got %q",
			h.all("content-length"))
	}
	var err error
	if h.Length, err = length.number(); f.chunked {
		h.Length = -1
	}
	return f, err
}

// values are those of one field.
type values struct {
	n      int
	first  []byte
	differ bool // one is another than the first
}

func (v *values) add(value []byte) {
	if v.n++; v.n == 1 {
		v.first = value
	}
	v.differ = v.differ || !bytes.Equal(v.first, value)
}

// number is the length that they say, -1 where there is none.
func (v *values) number() (int64, error) {
	switch {
	case v.n == 0:
		return -1, nil
	case len(v.first) == 0:
		return -1, errors.New(`invalid empty Content-Length ""`)
	}
	n, ok := parseLength(v.first)
	if !ok {
		return -1, fmt.Errorf("bad Content-Length %q", clip(v.first))
	}
	return n, nil
}

// all are the values of a field, for an error.
func (h *Head) all(field string) (list [][]byte) {
	h.each(func(name, value []byte) bool {
		if named(name, field) {
			list = append(list, value)
		}
		return true
	})
	return list
}

func named(name []byte, want string) bool {
	return len(name) == len(want) && bytes.EqualFold(name, []byte(want))
}

func parseLength(p []byte) (int64, bool) {
	var n int64
	for _, c := range p {
		if !isDigit(c) || n > (math.MaxInt64-int64(c-'0'))/10 {
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
