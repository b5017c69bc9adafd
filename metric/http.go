package metric

import "headway/record"

// phases are the parts of an HTTP exchange in seconds. Phases that an open
// connection skips are zero.
type phases struct {
	blocked, dns, connecting, sending, waiting, receiving float64
	duration                                              float64
}

// exchange splits a valid record into phases; false where the connection was
// not observed, as in a simulation.
//
// A phase that would be negative is zero: the last byte's send time is taken
// when the write returns, and on a fast network the reply can be there before.
func exchange(r *record.Record) (p phases, ok bool) {
	h := &r.HTTP
	if !Valid(r) || !h.GotConn.Known() || !r.Sent.Known() || !h.FirstBody.Known() || !h.End.Known() {
		return phases{}, false
	}
	free := h.GotConn
	// A dial can run beside the wait for a connection in use and lose; the
	// times that it left belong to no phase of this request.
	if !h.Reused {
		p.dns = positive(h.DNSStart, h.DNSDone)
		connected := h.ConnectDone
		if h.TLSDone.Known() {
			connected = h.TLSDone
		}
		p.connecting = positive(h.ConnectStart, connected)
		if h.ConnectStart.Known() {
			free = min(free, h.ConnectStart)
		}
		if h.DNSStart.Known() {
			free = min(free, h.DNSStart)
		}
	}
	p.blocked = positive(r.Start, free)
	p.sending = positive(h.GotConn, r.Sent)
	p.waiting = positive(r.Sent, h.FirstBody)
	p.receiving = positive(h.FirstBody, h.End)
	p.duration = positive(h.GotConn, h.End)
	return p, true
}

// positive is the time from a to b, 0 where there is none.
func positive(a, b record.Time) float64 {
	s, _ := between(a, b)
	return s
}

func (p phases) overhead() float64 { return p.blocked + p.dns + p.connecting }

func (p phases) total() float64 { return p.overhead() + p.sending + p.waiting + p.receiving }

const k6 = "k6's names, as aiperf"

// phase is the time of a part of the exchange.
func phase(tag, header, formula string, pick func(phases) float64) Metric {
	return latency(Metric{Tag: tag, Header: header, Group: GroupHTTP, Console: true,
		Formula: formula, Where: "http.go", Source: k6,
		value: func(r *record.Record) (float64, bool) {
			p, ok := exchange(r)
			return pick(p), ok
		}})
}

// observed fills in what counts of an exchange share.
func observed(m Metric, pick func(*record.HTTP) float64) Metric {
	m.Group = GroupHTTP
	m.Console = true
	m.Where = "http.go"
	m.Source = k6
	m.value = func(r *record.Record) (float64, bool) {
		_, ok := exchange(r)
		return pick(&r.HTTP), ok
	}
	return filled(m)
}

// size describes a number of bytes. It is shown in KB, which are 1024 bytes
// there as in aiperf.
func size(tag, header, formula string, pick func(*record.HTTP) int64) Metric {
	m := observed(Metric{Tag: tag, Header: header, Unit: "KB", Scale: 1. / 1024, Formula: formula},
		func(h *record.HTTP) float64 { return float64(pick(h)) })
	m.Source += " (which counts the bodies alone)"
	return m
}

// httpTrace is the family with k6's names. aiperf's http_req_chunks_sent is not
// here: a request is written in one piece, and nothing observes the writes.
func httpTrace() []Metric {
	return []Metric{
		phase("http_req_blocked", "HTTP Blocked", "wait for a connection: from the start to the first of DNS, "+
			"connect and having one",
			func(p phases) float64 { return p.blocked }),
		phase("http_req_dns_lookup", "HTTP DNS Lookup", "DNS, 0 on an open connection",
			func(p phases) float64 { return p.dns }),
		phase("http_req_connecting", "HTTP Connecting", "TCP and TLS, 0 on an open connection",
			func(p phases) float64 { return p.connecting }),
		phase("http_req_sending", "HTTP Sending", "from having a connection to the last byte of the request written",
			func(p phases) float64 { return p.sending }),
		phase("http_req_waiting", "HTTP Waiting (TTFB)", "from the last byte of the request written to the first "+
			"byte of the body",
			func(p phases) float64 { return p.waiting }),
		phase("http_req_receiving", "HTTP Receiving", "from the first to the last byte of the body",
			func(p phases) float64 { return p.receiving }),
		observed(Metric{Tag: "http_req_connection_reused", Header: "HTTP Connection Reused", Unit: "ratio", Scale: 1,
			Integer: true,
			Formula: "1 if the connection was open already, else 0"}, reused),
		size("http_req_data_sent", "HTTP Data Sent", "bytes of the request on the connection, head included",
			func(h *record.HTTP) int64 { return h.BytesSent }),
		size("http_req_data_received", "HTTP Data Received",
			"bytes of the reply on the connection, head and framing included",
			func(h *record.HTTP) int64 { return h.BytesReceived }),
		observed(Metric{Tag: "http_req_chunks_received", Header: "HTTP Chunks Received", Unit: "count", Scale: 1,
			Integer: true,
			Formula: "reads in which the body came"}, func(h *record.HTTP) float64 { return float64(h.Chunks) }),
		phase("http_req_connection_overhead", "HTTP Connection Overhead", "blocked + dns_lookup + connecting",
			phases.overhead),
		phase("http_req_duration", "HTTP Duration (excl. conn)",
			"from having a connection to the last byte of the body",
			func(p phases) float64 { return p.duration }),
		phase("http_req_total", "HTTP Total Time", "sum of the six phases", phases.total),
	}
}

func reused(h *record.HTTP) float64 {
	if h.Reused {
		return 1
	}
	return 0
}
