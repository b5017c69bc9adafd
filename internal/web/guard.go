package web

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard lets requests through that a user's own browser makes of these pages, and
// refuses others:
//
//   - by the name in Host: a page of somebody else whose name was made to lead to
//     this address (DNS rebinding) has its own name there. An IP address has no owner
//     who could do that, localhost neither, and host is the name that was asked for.
//   - by Origin and Sec-Fetch-Site: scripts, pictures and frames of other pages. A
//     link to a page from elsewhere is followed.
//   - by the method: nothing here is changed by a request.
//
// The port in Host may be another one, since connections are forwarded (ssh -L).
func guard(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD: nothing can be changed here", http.StatusMethodNotAllowed)
		case !ownHost(r.Host, host):
			http.Error(w, "this name is not one of headway's own: use the address that it printed, localhost or an IP",
				http.StatusMisdirectedRequest)
		case foreign(r):
			http.Error(w, "refused: the request comes from a page of another origin", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// protect sets what keeps other pages out of these, and these from asking others.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src "+styleHash+
		"; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// ownHost says whether a Host header has a name that nobody else can own.
func ownHost(header, host string) bool {
	name := (&url.URL{Host: header}).Hostname()
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return name != "" && (name == "localhost" || name == strings.ToLower(host) || net.ParseIP(name) != nil)
}

// foreign says that a page of another origin makes the request.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}
