package openai

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

const headChunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

// steps answers each request with the pieces of one reply, each written when
// the client has surely read the one before.
func steps(t *testing.T, replies [][]string) string {
	var n atomic.Int32
	return rawServer(t, func(c net.Conn, _ *http.Request) {
		r := bufio.NewReader(c)
		for first := true; ; first = false {
			if !first {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, req.Body); err != nil {
					return
				}
			}
			reply := replies[int(n.Add(1)-1)%len(replies)]
			for i, piece := range reply {
				if piece == "close" {
					return
				}
				if i > 0 {
					settle(c)
				}
				if _, err := io.WriteString(c, piece); err != nil {
					return
				}
			}
		}
	})
}

// settle waits until the peer, a socket of this machine, has read everything
// that was sent to it: only then is the next piece another read.
func settle(c net.Conn) {
	peer, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return
	}
	local := fmt.Sprintf("0100007F:%04X 0100007F:%04X", peer.Port, c.LocalAddr().(*net.TCPAddr).Port)
	for {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			return
		}
		_, line, found := strings.Cut(string(table), local)
		// State, then transmit and receive queue.
		if fields := strings.Fields(line); !found || len(fields) < 2 || strings.HasSuffix(fields[1], ":00000000") {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		var b [1]byte
		_, _ = c.Read(b[:]) // a pause: the client has nothing to say
		_ = c.SetReadDeadline(time.Time{})
	}
}

// Both transports make the same Records of the same replies, but for times.
func TestSameRecords(t *testing.T) {
	if !wire.HasPool {
		t.Skip("one transport on this system")
	}
	leaks(t)
	half := chunk("half")
	replies := [][]string{
		{headChunked, chunked(roleChunk), chunked(chunk("a")) + chunked(chunk("b")), chunked(half[:9]), chunked(half[9:]), chunked(finishChunk + usageChunk + endMarker), "0\r\nT: x\r\n\r\n"},
		{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", headChunked[:20], headChunked[20:] + "5;ext=\"1\"\r\ndata:\r\n", chunked(" {}\n\n"), chunked(chunk("c") + endMarker)[:50], chunked(chunk("c") + endMarker)[50:], "0\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n", `{"choices":[{"message":{"content":"whole"}}] `, ` }`},
		{"HTTP/1.1 429 Too Many\r\nContent-Length: 16\r\nRetry-After: 1\r\n\r\n", `{"error":"busy"}`},
		{"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", "close"},
		{headChunked + chunked(chunk("cut")), "close"},
		{headChunked + "3\r\nabcde", "close"},
		{"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "close"},
		{headSSE, chunk("to the end"), endMarker, "close"},
		{"close"},
		{"HTTP/1.1 200 OK\r\n", "close"},
		{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "close"},
	}
	made := map[string][]*record.Record{}
	var url string
	for _, via := range []string{TransportStd, TransportEpoll} {
		url = steps(t, replies)
		target := newTestTarget(t, Config{Transport: via, URLs: []string{url}, Streaming: true})
		for i := range replies {
			req := say("x")
			req.Index = i
			made[via] = append(made[via], ask(t.Context(), target, req))
		}
	}
	ignore := cmp.Options{
		cmpopts.IgnoreTypes(record.Time(0)), cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(record.Record{}, "RequestID", "CorrelationID", "URL"),
		// net/http reads on into the next chunk when it can, which shows in the
		// number of reads.
		cmpopts.IgnoreFields(record.HTTP{}, "Remote", "Chunks"),
		cmpopts.IgnoreFields(record.Arrival{}, "User"), // the first packets of a machine may come without a stamp
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Message" }, cmp.Comparer(sameHead)),
	}
	for i := range replies {
		std, epoll := made[TransportStd][i], made[TransportEpoll][i]
		// A reply that is refused at its head can be done with before net/http's
		// writing goroutine has said what it wrote, and when.
		if std.HTTP.BytesSent == 0 && std.Outcome != record.OK {
			std.HTTP.BytesSent, std.Sent = epoll.HTTP.BytesSent, epoll.Sent
		}
		if diff := cmp.Diff(std, epoll, ignore); diff != "" {
			t.Errorf("reply %d (%q): std -, epoll +\n%s", i, replies[i][0], diff)
		}
		for _, times := range [][2]record.Time{{std.Sent, epoll.Sent}, {std.Ack, epoll.Ack}, {std.Done, epoll.Done}, {std.HTTP.FirstByte, epoll.HTTP.FirstByte},
			{std.HTTP.GotConn, epoll.HTTP.GotConn}, {std.HTTP.ConnectStart, epoll.HTTP.ConnectStart}, {std.HTTP.ConnectDone, epoll.HTTP.ConnectDone},
			{std.HTTP.HeadersSent, epoll.HTTP.HeadersSent}, {std.HTTP.FirstBody, epoll.HTTP.FirstBody}, {std.HTTP.End, epoll.HTTP.End}} {
			if times[0].Known() != times[1].Known() {
				t.Errorf("reply %d: a time is known to one transport only: %+v\n%+v", i, std, epoll)
				break
			}
		}
	}
}

// sameHead compares messages but for what each transport says of a head that
// is not HTTP.
func sameHead(a, b string) bool {
	const bad = "the reply's head is not HTTP/1.1: "
	return a == b || strings.HasPrefix(a, bad) && strings.HasPrefix(b, bad)
}

// The head that a pool sends is the one that net/http sends, but for the order.
func TestSameRequests(t *testing.T) {
	if !wire.HasPool {
		t.Skip("one transport on this system")
	}
	leaks(t)
	var got []string
	for _, via := range []string{TransportStd, TransportEpoll} {
		lines := make(chan []string, 1)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			var head []string
			for {
				line, err := r.ReadString('\n')
				if err != nil || line == "\r\n" {
					break
				}
				head = append(head, line)
			}
			lines <- head
		}()
		u := url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/a b", RawQuery: "x=1&y"}
		target := newTestTarget(t, Config{Transport: via, URLs: []string{u.String()}, APIKey: "k", UserAgent: "headway/9", Headers: http.Header{
			"X-Mine": {"a", " b "}, "Host": {"other:81"}, "accept": {"no"}, "x-request-id": {"no"}, "Content-Length": {"7"}, "Connection": {"x"}}})
		tape := record.NewTape(record.NewClock(), record.Record{RequestID: "the-id"}, nil)
		done := make(chan struct{})
		target.Start(t.Context(), workload.Request{Session: "s", Turns: 1, Prompt: workload.Prompt{Text: "x"}}, tape, func() { close(done) })
		head := <-lines
		<-done
		l.Close()
		text := strings.ReplaceAll(strings.Join(slices.Sorted(slices.Values(head)), ""), tape.CorrelationID, "SESSION")
		got = append(got, text)
	}
	if got[0] != got[1] {
		t.Errorf("std:\n%s\nepoll:\n%s", got[0], got[1])
	}
}
