package openai

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"

	"github.com/valyala/fastjson"

	"headway/internal/wire"
	"headway/record"
)

// Failure messages say the same for the same fault: ports of this side, ids
// and times are left out, so that failures can be counted by their message.

func garbage(message string) *record.Failure {
	return &record.Failure{Class: record.ClassGarbage, Type: "InvalidInferenceResultError", Message: message}
}

func truncated(message string) *record.Failure {
	return &record.Failure{Class: record.ClassTruncated, Type: "ClientPayloadError", Message: message}
}

func empty() *record.Failure {
	return &record.Failure{Class: record.ClassEmpty, Type: "InvalidInferenceResultError",
		Message: "the reply is a success without content"}
}

// gaveUp is the failure of a request that this side ended, nil when it did
// not. It comes before every other explanation: ending a request breaks its
// connection, and the error then seen is only the echo.
func (x *exchange) gaveUp() *record.Failure {
	cause := x.via.why()
	switch {
	case cause == nil:
		return nil
	case errors.Is(cause, errTimeUp):
		return timedOut(fmt.Sprintf("no end of the reply within %v", x.t.c.Timeout))
	case errors.Is(cause, errGivenUp):
		return cancelled("cancelled after sending, as planned")
	default:
		return cancelled("cancelled: the run ended before the reply did")
	}
}

func timedOut(message string) *record.Failure {
	return &record.Failure{Class: record.ClassTimeout, Type: "TimeoutError", Message: message}
}

func cancelled(message string) *record.Failure {
	return &record.Failure{Class: record.ClassCancelled, Code: 499, Type: "RequestCancellationError", Message: message}
}

// cut is the failure of a reply whose body could not be read to its end.
func (x *exchange) cut(err error) *record.Failure {
	if f := x.gaveUp(); f != nil {
		return f
	}
	if broke(err) {
		return truncated("the connection broke in the middle of the reply: " + cause(err))
	}
	if isTimeout(err) {
		return timedOut("reading the reply: " + cause(err))
	}
	return garbage("reading the reply: " + cause(err))
}

// reached is how far a request got.
type reached struct {
	connected bool // a connection was ours
	reused    bool // which was open before
	answered  bool // a byte of the reply came
	tlsFailed bool
}

// broken is the failure of a request that got no reply's head.
func (x *exchange) broken(err error, at reached) *record.Failure {
	if f := x.gaveUp(); f != nil {
		return f
	}
	switch {
	case !at.connected:
		return unconnected(err, at.tlsFailed)
	case isTimeout(err):
		return timedOut("waiting for the reply: " + cause(err))
	case broke(err):
		return &record.Failure{Class: record.ClassReset, Type: "ServerDisconnectedError",
			Message: "the connection broke before the reply began: " + cause(err)}
	case at.answered:
		return garbage("the reply's head is not HTTP/1.1: " + x.t.words.excerpt([]byte(wrongHead(cause(err)))))
	}
	return &record.Failure{Class: record.ClassClient, Type: "ClientError",
		Message: "sending the request: " + cause(err)}
}

// wrongHead is what is wrong with a head without net/http's own words around it, so
// that it reads the same whatever carried the reply.
func wrongHead(text string) string {
	text = strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	switch {
	case strings.HasPrefix(text, "net/http: server response headers exceeded"):
		return wire.ErrLargeHead.Error()
	case otherProtocol.MatchString(text) && !strings.Contains(text, ` "HTTP/`):
		return wire.ErrNotHTTP.Error()
	}
	return text
}

var otherProtocol = regexp.MustCompile(`^malformed HTTP (response|version) "`)

// unconnected is the failure of a request that got no connection.
func unconnected(err error, tlsFailed bool) *record.Failure {
	var (
		dns  *net.DNSError
		head tls.RecordHeaderError
	)
	var proxy *proxyRefusal
	switch {
	case errors.As(err, &proxy):
		return &record.Failure{Class: record.ClassRefused, Type: "ClientHttpProxyError", Message: proxy.Error()}
	case errors.As(err, &dns):
		return &record.Failure{Class: record.ClassDNS, Type: "ClientConnectorDNSError",
			Message: fmt.Sprintf("looking up %s: %s", dns.Name, dns.Err)}
	case errors.As(err, &head) && string(head.RecordHeader[:]) == "HTTP/":
		return &record.Failure{Class: record.ClassTLS, Type: "ClientConnectorSSLError",
			Message: "the server answered https with plain HTTP"}
	case badCertificate(err):
		return &record.Failure{Class: record.ClassTLS, Type: "ClientConnectorCertificateError",
			Message: "checking the server's certificate: " + cause(err)}
	case tlsFailed:
		return &record.Failure{Class: record.ClassTLS, Type: "ClientConnectorSSLError",
			Message: "TLS handshake: " + cause(err)}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH),
		errors.Is(err, syscall.ENETUNREACH):
		return &record.Failure{Class: record.ClassRefused, Type: "ClientConnectorError",
			Message: "connecting: " + cause(err)}
	case isTimeout(err), errors.Is(err, syscall.ETIMEDOUT):
		return timedOut("connecting: " + cause(err))
	case broke(err):
		return &record.Failure{Class: record.ClassReset, Type: "ClientConnectorError",
			Message: "connecting: " + cause(err)}
	}
	// Too many open files, no free port, a proxy that is not there.
	return &record.Failure{Class: record.ClassClient, Type: "ClientConnectorError",
		Message: "connecting: " + cause(err)}
}

func badCertificate(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// broke reports whether err says that the connection ended.
func broke(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, net.ErrClosed) ||
		// net/http has no value for this one.
		strings.Contains(err.Error(), "server closed idle connection")
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// cause is what went wrong without the addresses around it: those of this side
// differ from one connection to the next.
func cause(err error) string {
	var op *net.OpError
	for errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "closed by the server"
	}
	return err.Error()
}

// refused is the failure of a reply whose status is not a success; err is what
// its body was cut short by.
func (x *exchange) refused(err error) *record.Failure {
	if f := x.gaveUp(); err != nil && !errors.Is(err, errFull) && f != nil {
		return f
	}
	h := x.reply.head
	f := &record.Failure{Class: record.ClassHTTP, Code: h.status, Type: h.reason,
		Message: x.t.words.statusMessage(x.reply.data)}
	switch h.status / 100 {
	case 4:
		f.Class = record.ClassHTTP4
	case 5:
		f.Class = record.ClassHTTP5
	case 3:
		if h.forward != "" && f.Message == "" {
			f.Message = "redirected to " + Shown(h.forward) + ", which is not followed"
		}
	}
	// aiperf names these errors by the reason in the status line.
	if f.Type == "" {
		f.Type = http.StatusText(h.status)
	}
	if f.Type == "" {
		f.Type = "ClientResponseError"
	}
	if f.Message == "" {
		f.Message = fmt.Sprintf("status %d without a message", h.status)
	}
	return f
}

// statusMessage is the server's own message, or the beginning of what it said
// instead.
func (w wording) statusMessage(data []byte) string {
	var p fastjson.Parser
	if v, err := parseJSON(&p, data, mostValues); err == nil && v.Type() == fastjson.TypeObject {
		if m := messageOf(v); m != "" {
			return m
		}
	}
	return w.excerpt(data)
}

// errorEvent is the failure that an event named "error" reports. Its data may
// be the usual JSON or text; some servers put the text into a comment.
func errorEvent(sc *scanner, e wire.Event) *record.Failure {
	f := &record.Failure{Class: record.ClassServer, Code: 502, Type: "SSEResponseError"}
	v, err := parseJSON(&sc.decoder.parser, e.Data, mostValues)
	if err == nil && v.Type() == fastjson.TypeObject {
		if reported := reportedFailure(v); reported != nil {
			return reported
		}
		f.Message = messageOf(v)
		if code, ok := codeOf(v); ok {
			f.Code = code
		}
	}
	if f.Message == "" {
		f.Message = sc.x.t.words.excerpt(e.Data)
	}
	if f.Message == "" {
		f.Message = sc.x.t.words.excerpt(e.Comment)
	}
	if f.Message == "" {
		f.Message = "an error event without a message"
	}
	return f
}
