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

// httpTrace is the family with k6's names.
func httpTrace() []Metric {
	const where = "http.go"
	phase := func(tag, formula string, pick func(phases) float64) Metric {
		return latency(Metric{Tag: tag, Group: GroupHTTP, Console: true, Formula: formula, Where: where,
			Source: "k6's names, as aiperf",
			value: func(r *record.Record) (float64, bool) {
				p, ok := exchange(r)
				return pick(p), ok
			}})
	}
	number := func(tag, unit, formula string, pick func(*record.HTTP) float64) Metric {
		return filled(Metric{Tag: tag, Unit: unit, Scale: 1, Group: GroupHTTP, Console: true, Integer: true,
			Formula: formula, Where: where, Source: "k6's names, as aiperf",
			value: func(r *record.Record) (float64, bool) {
				_, ok := exchange(r)
				return pick(&r.HTTP), ok
			}})
	}
	return []Metric{
		phase("http_req_blocked", "wait for a connection: from the start to the first of DNS, connect and having one",
			func(p phases) float64 { return p.blocked }),
		phase("http_req_dns_lookup", "DNS, 0 on an open connection", func(p phases) float64 { return p.dns }),
		phase("http_req_connecting", "TCP and TLS, 0 on an open connection", func(p phases) float64 { return p.connecting }),
		phase("http_req_sending", "from having a connection to the last byte of the request written", func(p phases) float64 { return p.sending }),
		phase("http_req_waiting", "from the last byte of the request written to the first byte of the body", func(p phases) float64 { return p.waiting }),
		phase("http_req_receiving", "from the first to the last byte of the body", func(p phases) float64 { return p.receiving }),
		phase("http_req_duration", "from having a connection to the last byte of the body", func(p phases) float64 { return p.duration }),
		phase("http_req_connection_overhead", "blocked + dns_lookup + connecting", phases.overhead),
		phase("http_req_total", "sum of the six phases", phases.total),
		number("http_req_data_sent", "B", "bytes of the request", func(h *record.HTTP) float64 { return float64(h.BytesSent) }),
		number("http_req_data_received", "B", "bytes of the reply", func(h *record.HTTP) float64 { return float64(h.BytesReceived) }),
		number("http_req_connection_reused", "", "1 if the connection was open already, else 0", func(h *record.HTTP) float64 {
			if h.Reused {
				return 1
			}
			return 0
		}),
		number("http_req_chunks_received", "count", "reads in which the body came", func(h *record.HTTP) float64 { return float64(h.Chunks) }),
	}
}
