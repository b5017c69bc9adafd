package openai

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"headway/record"
)

// Advice says in a sentence or two what the user can do about f, which a
// request to address had; "" when there is nothing to say. address may be a
// base address or a whole one, with or without a scheme.
func Advice(f record.Failure, address string) string {
	u, err := parseURL(address)
	if err != nil {
		return "Check the address: it needs a scheme, a host and a port, for example http://localhost:8000."
	}
	if advice := adviceProxy(f); advice != "" {
		return advice
	}
	switch f.Class {
	case record.ClassDNS:
		return adviceName(u)
	case record.ClassRefused:
		return adviceRefused(u)
	case record.ClassTLS:
		return adviceTLS(f, u)
	case record.ClassTimeout:
		if strings.HasPrefix(f.Message, "connecting") {
			return "Nothing answered at " + u.Host + ": check host and port, and that no firewall drops the packets."
		}
		return "Lower --concurrency or --request-rate, or allow more time with --request-timeout-seconds."
	case record.ClassReset:
		if u.Scheme == "http" && u.Port() == "443" {
			return "Port 443 speaks https: write https:// before the host."
		}
		return "The server, or a proxy before it, closes connections: look at its log and its limits on " +
			"connections. If the server speaks TLS, write https://."
	case record.ClassHTTP4, record.ClassHTTP5, record.ClassHTTP:
		return adviceStatus(f, u)
	case record.ClassServer:
		return "The server reported the error in its reply: look at its log."
	case record.ClassAborted:
		return "The server gave the reply up: look at its log, at its limits on time and queue, and lower the load " +
			"if it is overloaded."
	case record.ClassTruncated:
		return "The server or a proxy before it ends replies early: look at the server's log and at the proxy's " +
			"limits on time and size."
	case record.ClassGarbage:
		return adviceGarbage(u)
	case record.ClassTooLarge:
		return "The reply passed a bound of this client (docs/limits.md): look at what the server sends, or raise " +
			"--max-reply-events, --max-reply-bytes or --memory-budget."
	case record.ClassEmpty:
		return "The server replied without text: check the model's chat template, --endpoint-type and the output " +
			"length; a model that only reasons may need a longer one."
	case record.ClassClient:
		return adviceClient(f)
	}
	return ""
}

// adviceGarbage is for a reply that is none.
func adviceGarbage(u *url.URL) string {
	if u.Scheme == "http" {
		return "What answers at " + u.Host + " is not an OpenAI-compatible server, or it speaks TLS and the " +
			"address needs https://. Check the port and --endpoint."
	}
	return "What answers at " + u.Host + " is not an OpenAI-compatible server: check the port and --endpoint."
}

// adviceName is for a host that has no address.
func adviceName(u *url.URL) string {
	host := u.Hostname()
	if strings.HasSuffix(host, ".svc") || strings.Contains(host, ".svc.") || !strings.Contains(host, ".") {
		service, _, _ := strings.Cut(host, ".")
		port := u.Port()
		if port == "" {
			port = "8000"
		}
		return host + " looks like a name inside a Kubernetes cluster: run this inside the cluster, or run kubectl " +
			"port-forward svc/" +
			service + " " + port + ":" + port + " and use http://localhost:" + port + "."
	}
	return "The name " + host + " has no address: check its spelling, and the network's name servers."
}

// adviceRefused is for a host where nothing listens.
func adviceRefused(u *url.URL) string {
	if !isLocal(u.Hostname()) {
		return "Nothing listens at " + u.Host +
			": check the port, and that the server is ready (--wait-for-model-timeout waits for it)."
	}
	advice := "Nothing listens on port " + portOf(u) + " of this machine: start the server"
	if u.Port() == "" {
		return advice + " or write its port after the host, for example " + u.Scheme + "://" + u.Hostname() + ":8000."
	}
	return advice + ", or the kubectl port-forward to it, if it runs in a cluster."
}

func adviceTLS(f record.Failure, u *url.URL) string {
	switch {
	case strings.Contains(f.Message, "plain HTTP"):
		return "The server speaks plain HTTP: write http:// instead of https:// before " + u.Host + "."
	case f.Type == "ClientConnectorCertificateError":
		return "Use a host name that the certificate has and an authority that this machine trusts; " +
			"AIPERF_HTTP_SSL_VERIFY=false takes any certificate."
	}
	return "If the server speaks plain HTTP, write http:// instead of https:// before " + u.Host + "."
}

func adviceStatus(f record.Failure, u *url.URL) string {
	switch f.Code {
	case 401, 403:
		return "The server wants another key: check --api-key."
	case 404:
		return "Check --endpoint (the path " + u.Path + ") and --model: the server's /v1/models lists the " +
			"names it knows."
	case 405:
		return "The path " + u.Path + " takes no POST: check --endpoint and --endpoint-type."
	case 400, 413, 422:
		if advice := adviceField(f.Message); advice != "" {
			return advice
		}
		return "The server does not take this request: see its message; often the model's context is shorter than " +
			"input and output together, or --extra-inputs has something it does not know."
	case 429:
		return "The server limits requests: lower --concurrency or --request-rate, or raise its limit."
	case 502, 504:
		return "A proxy before the server got no answer from it: look at both logs, and lower --concurrency if the " +
			"server is overloaded."
	case 503:
		return "The server is not ready or is overloaded: wait for it with --wait-for-model-timeout, or lower " +
			"--concurrency."
	}
	switch {
	case f.Code >= 500:
		return "The server failed: look at its log."
	case f.Code >= 300 && f.Code < 400:
		return "Redirects are not followed: give the address that the server names, often https:// instead of http://."
	}
	return ""
}

// adviceField is for a field that the server does not know and that has another
// name there.
func adviceField(message string) string {
	names := unknownFields(message)
	if slices.Contains(names, "ignore_eos") && strings.Contains(message, "extra_fields") {
		return "Dynamo 1.x has no ignore_eos in nvext: write --extra-inputs ignore_eos:true, and take it out of " +
			"nvext in --extra-inputs and in the rows of --input-file."
	}
	if len(names) > 0 {
		return "The server does not know " + strings.Join(slices.Compact(names), ", ") + ": take it out of " +
			"--extra-inputs, or of the rows of --input-file."
	}
	return ""
}

func adviceClient(f record.Failure) string {
	switch {
	case strings.Contains(f.Message, "too many open files"):
		return "Raise the limit on open files (ulimit -n) above the number of connections, or lower --concurrency."
	case strings.Contains(f.Message, "cannot assign requested address"):
		return "This machine ran out of free ports: use --connection-reuse-strategy pooled, lower --concurrency, or " +
			"spread the load over several --url."
	}
	return "The request could not be made or sent from here: see the message."
}

func isLocal(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// Address is the whole address that requests to the first server go to, without
// user and password, or the base address as it may be shown where that is none.
func (c Config) Address() string {
	s, err := newServer(c, 0)
	if err != nil {
		return Shown(c.URLs[0])
	}
	return s.shown
}
