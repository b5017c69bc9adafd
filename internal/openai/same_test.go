package openai

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

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

// Both transports make the same Records of the same replies, but for times.
func TestSameRecords(t *testing.T) {
	if !wire.HasPool {
		t.Skip("one transport on this system")
	}
	leaks(t)
	half := chunk("half")
	replies := [][]string{
		{headChunked, chunked(roleChunk), chunked(chunk("a")) + chunked(chunk("b")), chunked(half[:9]),
			chunked(half[9:]), chunked(finishChunk + usageChunk + endMarker), "0\r\nT: x\r\n\r\n"},
		{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", headChunked[:20], headChunked[20:] + "5;ext=\"1\"\r\ndata:\r\n",
			chunked(" {}\n\n"), chunked(chunk("c") + endMarker)[:50],
			chunked(chunk("c") + endMarker)[50:], "0\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n",
			`{"choices":[{"message":{"content":"whole"}}] `, ` }`},
		{"HTTP/1.1 429 Too Many\r\nContent-Length: 16\r\nRetry-After: 1\r\n\r\n", `{"error":"busy"}`},
		{"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: " +
			"chunked\r\n\r\n", "close"},
		{headChunked + chunked(chunk("cut")), "close"},
		{headChunked + "3\r\nabcde", "close"},
		{"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "close"},
		{headSSE, chunk("to the end"), endMarker, "close"},
		{"close"},
		{headChunked + "ffffffffffffffff\r\n" + chunk("a"), "close"},
		{headChunked + "8000000000000000\r\n" + chunk("a"), "close"},
		{headChunked + "7fffffffffffffff\r\n" + chunk("a"), "close"},
		{headChunked + "10000000000000000\r\n" + chunk("a"), "close"},
		{headChunked + "-1\r\n" + chunk("a"), "close"},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
			"9223372036854775807\r\n\r\n" + chunk("a"), "close"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9223372036854775807\r\n\r\n{}", "close"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n" + chunk("a"), "close"},
		{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + chunk("a"), "close"},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
			"00000000000000000000018\r\n\r\n" + chunk("a"), "close"},
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
	for i := range replies {
		checkSame(t, fmt.Sprintf("reply %d (%q)", i, replies[i][0]), made[TransportStd][i], made[TransportEpoll][i])
	}
}

// differs are what the two transports may say differently.
var differs = cmp.Options{
	cmpopts.IgnoreTypes(record.Time(0)), cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(record.Record{}, "RequestID", "CorrelationID", "URL"),
	// net/http reads on into the next chunk when it can, which shows in the
	// number of reads.
	cmpopts.IgnoreFields(record.HTTP{}, "Remote", "Chunks"),
	cmpopts.IgnoreFields(record.Arrival{}, "UserspaceStamp"), // the first packets of a machine may come without a stamp
}

// checkSame fails where the Records of the two transports differ.
func checkSame(t *testing.T, name string, std, epoll *record.Record) {
	t.Helper()
	// A reply that is refused at its head can be done with before net/http's
	// writing goroutine has said what it wrote, and when.
	if std.HTTP.BytesSent == 0 && std.Outcome != record.OK {
		std.HTTP.BytesSent, std.Sent = epoll.HTTP.BytesSent, epoll.Sent
	}
	// How much was read of a reply that is given up depends on the size of reads, and
	// on how soon it is given up: at the line that is wrong or at the head's end.
	givenUp := std.Failure != nil && std.Failure.Class == record.ClassGarbage
	if givenUp || std.HTTP.BytesReceived > 4096 && std.HTTP.BytesReceived < epoll.HTTP.BytesReceived {
		std.HTTP.BytesReceived = epoll.HTTP.BytesReceived
	}
	if diff := cmp.Diff(std, epoll, differs); diff != "" {
		t.Errorf("%s: std -, epoll +\n%s", name, diff)
	}
	for _, times := range [][2]record.Time{{std.Sent, epoll.Sent}, {std.Ack, epoll.Ack}, {std.Done, epoll.Done},
		{std.HTTP.FirstByte, epoll.HTTP.FirstByte},
		{std.HTTP.GotConn, epoll.HTTP.GotConn}, {std.HTTP.ConnectStart, epoll.HTTP.ConnectStart},
		{std.HTTP.ConnectDone, epoll.HTTP.ConnectDone},
		{std.HTTP.HeadersSent, epoll.HTTP.HeadersSent}, {std.HTTP.FirstBody, epoll.HTTP.FirstBody},
		{std.HTTP.End, epoll.HTTP.End}} {
		if times[0].Known() != times[1].Known() {
			t.Errorf("%s: a time is known to one transport only: %+v\n%+v", name, std, epoll)
			return
		}
	}
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
		target := newTestTarget(t, Config{Transport: via, URLs: []string{u.String()}, APIKey: "k",
			UserAgent: "headway/9", Headers: http.Header{
				"X-Mine": {"a", " b "}, "Host": {"other:81"}, "accept": {"no"}, "x-request-id": {"no"},
				"Content-Length": {"7"}, "Connection": {"x"}}})
		tape := record.NewTape(record.NewClock(), record.Record{RequestID: "the-id"}, nil)
		done := make(chan struct{})
		target.Start(t.Context(), workload.Request{Session: "s", Turns: 1, Prompt: workload.Prompt{Text: "x"}}, tape,
			func() { close(done) })
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
