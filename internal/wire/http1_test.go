package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// heard collects what a framer finds.
type heard struct {
	heads []string
	kind  string
	got   []byte
}

func (h *heard) head(x Head) error {
	h.heads = append(h.heads, fmt.Sprintf("%d %s %d", x.Status, x.Reason, x.Length))
	h.kind = x.Get("Content-Type")
	return nil
}

func (h *heard) body(p []byte) error {
	h.got = append(h.got, p...)
	return nil
}

// frame feeds p in pieces of n bytes, then the end of the connection.
func frame(p []byte, n int) (h heard, used int, close bool, err error) {
	var f framer
	for used < len(p) && err == nil && f.place != ended {
		k, e := f.feed(p[used:min(len(p), used+n)], &h)
		used, err = used+k, e
	}
	if err != nil {
		return h, 0, true, err // how far it got depends on the pieces
	}
	close = f.close || used < len(p)
	return h, used, close, f.eof()
}

// framingCases are the cases of TestFraming.
var framingCases = []struct{ name, in, heads, body, err string }{
	{"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nabcd", "200 OK 3", "abc", ""},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200  0", "", ""},
	{"bare newlines", "HTTP/1.0 200 Fine thing\nContent-Length:3\n\nabc", "200 Fine thing 3", "abc", ""},
	{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n02;x=\"y\"\r\nde\r\n0\r\n\r\n",
		"200 OK -1", "abcde", ""},
	{"trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0;e\r\nA: b\r\nC: d\r\n\r\nX",
		"200 OK -1", "a", ""},
	{"to the end", "HTTP/1.1 200 OK\r\n\r\nabc", "200 OK -1", "abc", ""},
	{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 " +
		"OK\r\nContent-Length: 1\r\n\r\na", "200 OK 1", "a", ""},
	{"none in 204", "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", "204 No Content 9", "", ""},
	{"switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc", "101 Switching Protocols -1", "", ""},
	{"same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"200 OK 1", "a", ""},
	{"chunks win", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"200 OK -1", "", ""},
	{"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\na", "200 OK 1", "a", ""},

	{"nothing", "", "", "", "EOF"},
	{"half a head", "HTTP/1.1 200 OK\r\nA", "", "", "unexpected EOF"},
	{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "200 OK 3", "ab", "unexpected EOF"},
	{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "200 OK -1", "ab",
		"unexpected EOF"},
	{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "200 OK -1", "a",
		"unexpected EOF"},
	{"interim only", "HTTP/1.1 100 Continue\r\n\r\n", "", "", "unexpected EOF"},
	{"another protocol", "SSH-2.0", "", "", "malformed HTTP response: it does not begin with HTTP/"},
	{"version", "HTTP/2.0 200 OK\r\n", "", "", `HTTP version "HTTP/2.0" is not 1.0 or 1.1`},
	{"status", "HTTP/1.1 20x OK\r\n", "", "", `malformed HTTP status code "20x"`},
	{"long status", "HTTP/1.1 2000 OK\r\n", "", "", `malformed HTTP status code "2000"`},
	{"no status", "HTTP/1.1\r\n", "", "", `malformed HTTP response "HTTP/1.1"`},
	{"no colon", "HTTP/1.1 200 OK\r\nabc\r\n\r\n", "", "", `malformed MIME header: missing colon: "abc"`},
	{"bad name", "HTTP/1.1 200 OK\r\na(b: c\r\n\r\n", "", "", `malformed MIME header line: "a(b: c"`},
	{"bad value", "HTTP/1.1 200 OK\r\na: \x00\r\n\r\n", "", "", "malformed MIME header line: \"a: \\x00\""},
	{"folded first", "HTTP/1.1 200 OK\r\n a: b\r\n\r\n", "", "", `malformed MIME header initial line: " a: b"`},
	{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "", "",
		`http: message cannot contain multiple Content-Length headers; got ["1" "2"]`},
	{"length of letters", "HTTP/1.1 200 OK\r\nContent-Length: 1a\r\n\r\na", "", "", `bad Content-Length "1a"`},
	{"encodings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\na", "", "",
		`unsupported transfer encoding: "gzip"`},
	{"chunk of letters", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "200 OK -1", "",
		"invalid byte in chunk length"},
	{"empty size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "200 OK -1", "",
		"empty hex number for chunk length"},
	{"huge size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("f", 17) + "\r\n",
		"200 OK -1", "", "http chunk length too large"},
	{"size of 2^64-1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("f", 16) + "\r\nab",
		"200 OK -1", "ab", "unexpected EOF"},
	{"more about chunks than in them", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
		"chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 3000)+"\r\na\r\n", 9), "200 OK -1", "aaaaa",
		"chunked encoding contains too much non-data"},
	{"cut in the trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n", "200 OK -1", "",
		"http: suspiciously long trailer after chunked body"},
	{"no trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "200 OK -1", "",
		"http: unexpected EOF reading trailer"},
	{"bad trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA\r\n\r\n", "200 OK -1", "",
		"malformed MIME header: missing colon: \"A\""},
	{"largest length", "HTTP/1.1 200 OK\r\nContent-Length: 09223372036854775807\r\n\r\na",
		"200 OK 9223372036854775807", "a", "unexpected EOF"},
	{"length of 2^63", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\na", "", "",
		`bad Content-Length "9223372036854775808"`},
	{"status 0", "HTTP/1.1 000 OK\r\n\r\n", "", "", `malformed HTTP status code "000"`},
	{"bare newline in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n", "200 OK -1", "",
		"chunked line ends with bare LF"},
	{"chunk that lies", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "200 OK -1", "a",
		"malformed chunked encoding"},
	{"long chunk line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
		"chunked\r\n\r\n1;" + strings.Repeat("x", maxChunkLine), "200 OK -1", "", "header line too long"},
	{"large head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", MaxHead), "", "",
		"the reply's head is larger than 1048576 bytes"},
	{"large interim heads", strings.Repeat("HTTP/1.1 100 Continue\r\nA: "+strings.Repeat("x", 9000)+"\r\n\r\n",
		120), "", "", "the reply's head is larger than 1048576 bytes"},
	{"large trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " +
		"chunked\r\n\r\n0\r\nA: " + strings.Repeat("x", MaxHead), "200 OK -1", "",
		"http: suspiciously long trailer after chunked body"},
}

func TestFraming(t *testing.T) {
	for _, tt := range framingCases {
		for _, n := range []int{1 << 30, 1, 7} {
			h, _, _, err := frame([]byte(tt.in), n)
			message := ""
			if err != nil {
				message = err.Error()
				if wrong := !errors.Is(err, io.EOF) &&
					!errors.Is(err, io.ErrUnexpectedEOF); wrong != errors.Is(err, ErrMalformed) {
					t.Errorf("%s: %v matches ErrMalformed: %v", tt.name, err, !wrong)
				}
			}
			if got := strings.Join(h.heads, "|"); got != tt.heads || string(h.got) != tt.body || message != tt.err {
				t.Errorf("%s by %d: head %q, body %q, error %q\nwant %q, %q, %q", tt.name, n, got, h.got, message,
					tt.heads, tt.body, tt.err)
			}
		}
	}
}

func TestHeadFields(t *testing.T) {
	var f framer
	var got []string
	_, err := f.feed([]byte("HTTP/1.1 200 OK\r\nCONTENT-type: \ttext/html \r\nFolded: a\r\n\t b\r\n c\r\nFolded: "+
		"d\r\nEmpty:\r\n\r\n"), asFramed(func(h Head) {
		got = []string{h.Get("Content-Type"), h.Get("folded"), h.Get("Empty"), h.Get("None")}
	}))
	if want := `["text/html" "a b c" "" ""]`; err != nil || fmt.Sprintf("%q", got) != want {
		t.Errorf("%q, %v, want %s", got, err, want)
	}
}

type asFramed func(Head)

func (f asFramed) head(h Head) error { f(h); return nil }
func (asFramed) body([]byte) error   { return nil }

func TestKeepAlive(t *testing.T) {
	for in, close := range map[string]bool{
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":                                     false,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n":             true,
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n":                                     true,
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n":           false,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na":                                    false,
		"HTTP/1.1 200 OK\r\n\r\na":                                                         true,
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                                         true,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: x\r\n\r\n": false,
	} {
		var f framer
		if _, err := f.feed([]byte(in), &heard{}); err != nil {
			t.Error(err)
		}
		if f.place == inOpen {
			_ = f.eof()
		}
		if f.place != ended || f.close != close {
			t.Errorf("%q: place %d, close %v, want %v", in, f.place, f.close, close)
		}
	}
}

// FuzzHTTP1 feeds any bytes: cutting them differently changes nothing, what
// net/http can read is read the same, and what it refuses is refused.
func FuzzHTTP1(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nc\r\ndata: " +
			"hello\n\r\n1;a=b\r\n\n\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
		"HTTP/1.0 404 Not Found\nContent-Type: a\n b\n\nbody",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 304 \r\nContent-Length: 01\r\nContent-Length: 01\r\n\r\n", "SSH-2.0-x\r\n",
		"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n00\r\n\n",
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		whole, used, close, err := frame(in, len(in)+1)
		for _, n := range []int{1, max(1, n)} {
			cut, used2, close2, err2 := frame(in, n)
			if fmt.Sprint(whole, used, close, err) != fmt.Sprint(cut, used2, close2, err2) {
				t.Fatalf("%q at once: %v %d %v %v\nby %d: %v %d %v %v", in, whole, used, close, err, n, cut,
					used2, close2, err2)
			}
		}
		resp, body, ok := netHTTP(in)
		if !ok && err == nil {
			t.Fatalf("%q: we read %v, net/http refuses it", in, whole)
		}
		// A code with a sign, such as "+00", is one to net/http alone.
		if !ok || resp.ProtoMajor != 1 || resp.StatusCode == 101 || resp.StatusCode < 100 {
			return
		}
		if err != nil && strings.Contains(err.Error(), "is not 1.0 or 1.1") {
			return // of an interim reply, whose version net/http does not look at
		}
		if err != nil {
			t.Fatalf("%q: net/http reads it, we say %v", in, err)
		}
		if !bytes.Equal(body, whole.got) ||
			!slices.Equal(strings.Fields(whole.kind), strings.Fields(resp.Header.Get("Content-Type"))) ||
			!strings.HasPrefix(whole.heads[0], fmt.Sprint(resp.StatusCode)) {
			t.Fatalf("%q: %v %q, net/http has %d %q %q", in, whole, whole.kind, resp.StatusCode,
				resp.Header.Get("Content-Type"), body)
		}
		if closes := resp.Close || resp.ContentLength < 0 && len(resp.TransferEncoding) == 0; closes && !close {
			t.Fatalf("%q: the connection would be used again, net/http closes it", in)
		}
	})
}

// netHTTP is what net/http makes of in; ok is false when it has a fault, or
// what only net/http forgives.
func netHTTP(in []byte) (*http.Response, []byte, bool) {
	r := bufio.NewReader(bytes.NewReader(in)) // of the size that a transport has
	req, err := http.NewRequest(http.MethodPost, "http://x", nil)
	if err != nil {
		return nil, nil, false
	}
	for {
		resp, err := http.ReadResponse(r, req)
		if err != nil {
			return nil, nil, false
		}
		if resp.StatusCode/100 == 1 && resp.StatusCode != 101 {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		return resp, body, err == nil
	}
}

// A large head leaves no room behind in a connection that is kept.
func TestFramingLetsLargeHeadsGo(t *testing.T) {
	var f framer
	var h heard
	reply := "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: " + strings.Repeat("y", MaxHead/2) + "\r\n\r\na"
	for p := []byte(reply); len(p) > 0; p = p[min(len(p), 1000):] {
		if _, err := f.feed(p[:min(len(p), 1000)], &h); err != nil {
			t.Fatal(err)
		}
	}
	if f.reset(); cap(f.line) > maxChunkLine || string(h.got) != "a" {
		t.Errorf("%d bytes are kept after %q", cap(f.line), h.got)
	}
}
