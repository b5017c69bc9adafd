package options

import (
	"net"
	"strconv"
	"strings"

	"headway/internal/fault"
)

// Web is about the page on which a browser follows a call.
type Web struct {
	Web     WebAddress `name:"web" apart:"" placeholder:"ADDR" help:"Show the run in a browser while it goes, and its report afterwards, at this address (host:port or a port). Alone, or with a port: on this host only (127.0.0.1), at a free port that is printed. Another host, such as 0.0.0.0, opens the page without a password to everyone who can reach it."`
	WebStay *Seconds   `name:"web-stay" apart:"" placeholder:"TIME" help:"How long the page of --web stays as the report after the run (s); inf until interrupted, 0 until open pages have it. Default: inf on a terminal, else 0."`
}

// Faults are those of the options.
func (w *Web) Faults(bad *fault.List) {
	bad.When(w.WebStay != nil && !w.Web.Said(), "%s is of %s", fault.Field("web-stay"), fault.Field("web"))
}

// WebAddress is where a page is served, as host:port; empty is nowhere.
type WebAddress string

// thisHost is the address that only this host reaches.
const thisHost = "127.0.0.1"

// UnmarshalText reads the option's value: true, false, a port or host:port. Without a
// host it is this host alone. Without a value the option has the value true.
func (w *WebAddress) UnmarshalText(b []byte) error {
	text := string(b)
	switch {
	case isTrue(text) && text != "1":
		*w = thisHost + ":0"
		return nil
	case isFalse(text) && text != "0":
		*w = ""
		return nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = "", text
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fault.New("%q is not an address: give a port such as 8080, host:port, or nothing", text)
	}
	if host == "" {
		host = thisHost
	}
	*w = WebAddress(net.JoinHostPort(host, port))
	return nil
}

// MayFollow says whether an argument after the option is its value.
func (*WebAddress) MayFollow(next string) bool {
	return !strings.HasPrefix(next, "-") && new(WebAddress).UnmarshalText([]byte(next)) == nil &&
		!isTrue(next) && !isFalse(next)
}

// Said says whether a page is asked for.
func (w WebAddress) Said() bool { return w != "" }

// AnyPort says that the port is a free one, which nobody knows beforehand.
func (w WebAddress) AnyPort() bool { return strings.HasSuffix(string(w), ":0") }

// Open says that other hosts may reach the page.
func (w WebAddress) Open() bool {
	host, _, err := net.SplitHostPort(string(w))
	ip := net.ParseIP(host)
	return err == nil && host != "localhost" && (ip == nil || !ip.IsLoopback())
}
