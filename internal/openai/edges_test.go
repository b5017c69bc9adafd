package openai

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headway/internal/wire"
	"headway/record"
)

// odd are replies at the edges of HTTP/1.1, each the whole of what the server
// sends before it closes the connection.
func odd() map[string]string {
	const (
		ok   = "HTTP/1.1 200 OK\r\n"
		json = "Content-Type: application/json\r\n"
		body = `{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}`
	)
	size := fmt.Sprint(len(body))
	whole := func(fields string) string { return ok + json + fields + "\r\n" + body }
	all := map[string]string{}
	// Lengths.
	for name, value := range map[string]string{
		"right": size, "leading zeros": "000000000000000000000000" + size, "a plus": "+" + size, "a minus": "-" + size,
		"minus one": "-1", "hexadecimal": "0x44",
		"underscores": "6_8", "blanks around": " \t" + size + " \t", "a blank within": "6 8", "empty": "",
		"2^63-1": "9223372036854775807", "2^63": "9223372036854775808",
		"2^64": "18446744073709551616", "2^64 and more": "18446744073709551684", "a list of equals": size + ", " + size,
		"a fraction": size + ".0",
		"too short":  "10", "zero": "0", "too long": "9999",
	} {
		all["length: "+name] = whole("Content-Length: " + value + "\r\n")
	}
	all["length twice, equal"] = whole("Content-Length: " + size + "\r\ncontent-length: " + size + "\r\n")
	all["length twice, of one value"] = whole("Content-Length: " + size + "\r\nContent-Length: 0" + size + "\r\n")
	all["length twice, different"] = whole("Content-Length: " + size + "\r\nContent-Length: 5\r\n")
	all["length with a blank before the colon"] = whole("Content-Length : 5\r\n")
	all["length on two lines"] = whole("Content-Length:\r\n " + size + "\r\n")
	all["length cut by a fold"] = whole("Content-Length: 6\r\n 8\r\n")
	all["length and chunks"] = ok + json + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" +
		chunked(body) + "0\r\n\r\n"
	all["a bad length and chunks"] = ok + json + "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
		chunked(body) + "0\r\n\r\n"
	for name, value := range map[string]string{"gzip, chunked": "gzip, chunked", "identity": "identity",
		"Chunked": "Chunked", "empty": "", "chunked twice": "chunked\r\nTransfer-Encoding: chunked"} {
		all["encoding: "+name] = ok + json + "Transfer-Encoding: " + value + "\r\n\r\n" + chunked(body) + "0\r\n\r\n"
	}
	// Sizes of chunks.
	events := chunk("a") + finishChunk + endMarker
	for name, line := range map[string]string{
		"right": fmt.Sprintf("%x", len(events)), "capitals": fmt.Sprintf("%X", len(events)),
		"leading zeros": fmt.Sprintf("%016x", len(events)), "17 digits": fmt.Sprintf("%017x", len(events)),
		"0x": fmt.Sprintf("0x%x", len(events)), "a plus": fmt.Sprintf("+%x", len(events)), "a minus": "-1",
		"underscores": "1_0", "empty": "", "a blank before": fmt.Sprintf(" %x", len(events)),
		"blanks after": fmt.Sprintf("%x \t", len(events)), "an extension": fmt.Sprintf("%x;a=b;c=\"d\"", len(events)),
		"a blank before the extension": fmt.Sprintf("%x ;a", len(events)),
		"an empty extension":           fmt.Sprintf("%x;", len(events)), "only an extension": ";a",
		"a carriage return within": fmt.Sprintf("%x\r;a", len(events)),
		"a long extension":         fmt.Sprintf("%x;", len(events)) + strings.Repeat("x", 4000),
		"an extension too long":    fmt.Sprintf("%x;", len(events)) + strings.Repeat("x", 5000),
		"2^60":                     "1000000000000000", "2^62-1": "3fffffffffffffff", "2^62": "4000000000000000",
		"2^63-1": "7fffffffffffffff", "2^63": "8000000000000000", "2^63+1": "8000000000000001",
		"2^63+2^62": "c000000000000000", "2^64-1": "ffffffffffffffff", "2^64": "10000000000000000",
	} {
		all["size: "+name] = headChunked + line + "\r\n" + events + "\r\n0\r\n\r\n"
	}
	all["size: bare LF"] = headChunked + fmt.Sprintf("%x\n", len(events)) + events + "\r\n0\r\n\r\n"
	all["chunk without its end"] = headChunked + fmt.Sprintf("%x\r\n", len(events)) + events + "0\r\n\r\n"
	all["chunk ended by LF"] = headChunked + fmt.Sprintf("%x\r\n", len(events)) + events + "\n0\r\n\r\n"
	all["many small chunks"] = headChunked + small(events, "") + "0\r\n\r\n"
	all["many small chunks with extensions"] = headChunked +
		small(strings.Repeat(chunk("a"), 20)+events, ";"+strings.Repeat("x", 90)) + "0\r\n\r\n"
	// Trailers, before the events' end and after.
	unfinished := chunked(chunk("a"))
	for name, end := range map[string]string{
		"none": "0\r\n\r\n", "one": "0\r\nT: x\r\n\r\n", "no colon": "0\r\nT\r\n\r\n",
		"folded": "0\r\nT: x\r\n y\r\n\r\n", "bare LF": "0\r\n\n", "bare LF after a field": "0\r\nT: x\n\n",
		"cut": "0\r\nT: x\r\n", "cut at once": "0\r\n", "cut in its end": "0\r\n\r", "cut before": "",
		"cut in the size": "0", "long": "0\r\nT: " + strings.Repeat("x", 4000) + "\r\n\r\n",
		"too long": "0\r\nT: " + strings.Repeat("x", 5000) + "\r\n\r\n", "control character": "0\r\nT: \x01\r\n\r\n",
		"zeros": "000\r\n\r\n", "an extension": "0;x\r\n\r\n",
	} {
		all["trailer: "+name] = headChunked + unfinished + chunked(finishChunk) + end
		all["trailer after the end: "+name] = headChunked + chunked(events) + end
	}
	// Heads.
	for name, line := range map[string]string{
		"HTTP/1.0": "HTTP/1.0 200 OK", "HTTP/1.9": "HTTP/1.9 200 OK", "HTTP/2.0": "HTTP/2.0 200 OK",
		"HTTP/0.9": "HTTP/0.9 200 OK", "HTTP/1.10": "HTTP/1.10 200 OK", "small": "http/1.1 200 OK",
		"no reason": "HTTP/1.1 200", "no reason, a blank": "HTTP/1.1 200 ", "two blanks": "HTTP/1.1  200 OK",
		"a tab": "HTTP/1.1\t200 OK", "a plus": "HTTP/1.1 +20 OK", "a minus": "HTTP/1.1 -20 OK",
		"000": "HTTP/1.1 000 OK", "099": "HTTP/1.1 099 OK", "999": "HTTP/1.1 999 OK", "600": "HTTP/1.1 600 OK",
		"20": "HTTP/1.1 20 OK", "2000": "HTTP/1.1 2000 OK", "letters": "HTTP/1.1 2xx OK",
		"bytes":              "HTTP/1.1 500 \xff\xfe",
		"control characters": "HTTP/1.1 500 \x1b[31m", "304": "HTTP/1.1 304 Not Modified",
		"204": "HTTP/1.1 204 No Content", "205": "HTTP/1.1 205 Reset Content",
		"101": "HTTP/1.1 101 Switching Protocols", "only the version": "HTTP/1.1",
	} {
		all["status: "+name] = line + "\r\n" + json + "Content-Length: " + size + "\r\n\r\n" + body
		all["status, chunks: "+name] = line + "\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n" +
			chunked(body) + "0\r\n\r\n"
		all["status, no length: "+name] = line + "\r\n" + json + "\r\n" + body
	}
	for name, field := range map[string]string{
		"folded type": "Content-Type: application/json;\r\n charset=utf-8\r\n", "folded with tabs": "X: a\r\n\t\tb\r\n",
		"fold of nothing": "X: a\r\n \r\n", "fold first": " X: a\r\n", "no colon": "X\r\n", "no name": ": x\r\n",
		"a blank in the name": "X Y: a\r\n", "a control character": "X: \x01\r\n", "a NUL": "X: \x00\r\n",
		"DEL": "X: \x7f\r\n", "a carriage return": "X: a\rb\r\n", "high bytes": "X: \xff\r\n",
		"high bytes in the name": "X\xff: a\r\n",
		"bare LF":                "X: a\n", "empty value": "X:\r\n", "many": strings.Repeat("X: y\r\n", 3000),
		"large": "X: " +
			strings.Repeat("y", 900<<10) + "\r\n", "too large": "X: " + strings.Repeat("y", 1100<<10) + "\r\n",
		"compressed": "Content-Encoding: gzip\r\n", "identity": "Content-Encoding: identity\r\n",
		"two types": "Content-Type: text/event-stream\r\n", "connection close": "Connection: close\r\n",
		"a quote in the name": "X\"y: z\r\n",
	} {
		all["field: "+name] = whole(field + "Content-Length: " + size + "\r\n")
	}
	// Interim replies.
	final := whole("Content-Length: " + size + "\r\n")
	for name, interim := range map[string]string{
		"100": "HTTP/1.1 100 Continue\r\n\r\n", "103": "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
		"102 three times":       strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 3),
		"100 with a length":     "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
		"100 with a bad length": "HTTP/1.1 100 Continue\r\nContent-Length: x\r\n\r\n",
		"199":                   "HTTP/1.1 199 Odd\r\n\r\n", "100 in HTTP/1.0": "HTTP/1.0 100 Continue\r\n\r\n",
		"100 with chunks": "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		all["interim: "+name] = interim + final
		all["interim alone: "+name] = interim
	}
	all["a blank line first"] = "\r\n" + final
	all["nothing but a line"] = "\r\n"
	all["a second reply"] = final + final
	return all
}

// small cuts text into chunks of one byte.
func small(text, extension string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "1%s\r\n%s\r\n", extension, text[i:i+1])
	}
	return b.String()
}

// Both transports say the same of replies at the edges of HTTP/1.1: there is one
// answer to what a server sent.
func TestSameAtTheEdges(t *testing.T) {
	if !wire.HasPool {
		t.Skip("one transport on this system")
	}
	for name, reply := range odd() {
		half := len(reply) / 2
		for way, tt := range map[string]struct {
			streaming bool
			pieces    []string
		}{
			"as a stream": {true, []string{reply, "close"}}, "as a whole": {false, []string{reply, "close"}},
			"in two pieces": {true, []string{reply[:half], reply[half:], "close"}},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				made := map[string]*record.Record{}
				// What comes after [DONE] is waited for no longer than drain, which a
				// machine that is busy can let pass.
				slow := true
				for try := 0; slow && try < 3; try++ {
					began := time.Now()
					for _, via := range []string{TransportStd, TransportEpoll} {
						server := steps(t, [][]string{tt.pieces})
						target := newTestTarget(t,
							Config{Transport: via, URLs: []string{server}, Streaming: tt.streaming})
						made[via] = ask(t.Context(), target, say("x"))
					}
					slow = time.Since(began) > drain/2
				}
				if slow {
					t.Skip("this machine takes half a second to read a reply")
				}
				checkSame(t, name, made[TransportStd], made[TransportEpoll])
			})
		}
	}
}
