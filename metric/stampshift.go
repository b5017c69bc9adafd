package metric

import (
	"math"
	"slices"

	"headway/record"
)

// StampShift gathers from the Records of a run by how much the client itself
// moved TTFT and ITL. Both are known again without that share:
//
//   - Sending. From the start of a request to its first bytes on the wire, less
//     what the network took; of the time to connect, what the quickest
//     connection of the run took is the network's.
//   - Reading. The kernel's time of a read is that of its last chunk. Where the
//     first chunk with text was read with k-1 others, it came (k-1)·d earlier,
//     with d the mean time between the chunks that followed.
//
// A read can be shared since the client was late or since the server sent
// several chunks at once; of the second kind none lay longer than the read's
// lag, the time from its last chunk to the read. Both are computed. Which it
// was is for others to say, who know how late the client was at other times.
//
// It keeps 72 bytes a request, is a record.Sink and not safe for concurrent use.
type StampShift struct {
	all []shift
}

// shift is what is kept of a request. Times are in seconds.
type shift struct {
	ttft, itl float64 // as measured; itl is 0 where it has none
	send      float64 // from the start to the wire, without connecting
	connect   float64 // 0 where it had a connection
	early     float64 // by which the first text came before its stamp, if shared reads are the client's
	gap       float64 // between chunks of later reads
	decode    float64 // from the stamp of the first text to the last
	lag       float64 // of the read with the first text
	user      bool    // that read has a stamp of user space, and no lag
}

// Take adds a Record; those without a valid reply are left out. It never fails.
func (s *StampShift) Take(r *record.Record) error {
	ttft, ok := TTFT(r)
	if r.Warmup || !ok || !r.Streamed {
		return nil
	}
	x := shift{ttft: ttft}
	x.itl, _ = ITL(r)
	gone, network, connect := departure(r)
	x.send, x.connect = seconds(max(0, gone-network-connect-r.Start)), seconds(connect)
	x.firstRead(r)
	s.all = append(s.all, x)
	return nil
}

// firstRead looks at the read that brought the first text: by how much that
// text may have come before its stamp, the mean time between the chunks of
// later reads (0 where there are none), and the read's lag.
func (x *shift) firstRead(r *record.Record) {
	first, _ := firstOf(r, anyText)
	_, texts := lastTextOf(r.Arrivals)
	last := lastText(r)
	shared := 0
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if shared > 0 && !a.Coalesced {
			break // another read
		}
		if a.Kind.Text() {
			if shared++; shared == 1 {
				x.user = a.UserspaceStamp
			}
		}
	}
	if read := r.HTTP.FirstRead; read.Known() {
		x.lag = seconds(max(0, read-first))
	}
	x.decode = seconds(last - first)
	switch rest := texts - shared; {
	case shared < 2:
	case rest > 0:
		x.gap = x.decode / float64(rest)
		x.early = float64(shared-1) * x.gap
	default:
		// All came in one read: the first may have come at any time since the
		// request went out.
		gone, _, _ := departure(r)
		x.early = seconds(max(0, first-gone))
	}
}

// Shifts is what a StampShift has gathered.
type Shifts struct {
	// Count is how many replies were looked at, Shared how many of them had
	// their first text in one read with another, and Late how many of those
	// were read late by this program.
	Count, Shared, Late int
	TTFT, ITL           Shifted
	// Gap is the median of the mean time between chunks of later reads, seconds.
	Gap float64
	// Send is the client's share of sending, in seconds, sorted.
	Send []float64
}

// Shifted is a metric's quantiles in seconds: as measured, without what the
// client added if it shared the reads, and if the server did.
type Shifted struct{ P50, P99, OwnP50, OwnP99, PromptP50, PromptP99 float64 }

// lateLag is the part of the time between chunks above which a lag says that
// the client was late, promptLag what an idle machine takes to notice a read.
const (
	lateLag   = 1.0 / 8
	promptLag = 200e-6
)

// Shifts sums up what was taken so far. user is by how much a stamp of user
// space is late, in seconds.
func (s *StampShift) Shifts(user float64) Shifts {
	sums := Shifts{Count: len(s.all)}
	if len(s.all) == 0 {
		return sums
	}
	quickest := math.Inf(1)
	for _, x := range s.all {
		if x.early > 0 {
			sums.Shared++
			if x.late(user) {
				sums.Late++
			}
		}
		if x.connect > 0 {
			quickest = min(quickest, x.connect)
		}
	}
	var ttft, itl [3][]float64 // as measured, and without the two shares
	var gaps []float64
	for _, x := range s.all {
		send := x.send
		if x.connect > 0 {
			send += x.connect - quickest
		}
		if x.gap > 0 {
			gaps = append(gaps, x.gap)
		}
		sums.Send = append(sums.Send, send)
		for i, early := range [...]float64{0, x.early, min(x.early, x.lagOr(user))} {
			if i > 0 && x.user {
				early += user
			}
			own := x.ttft - early
			if i > 0 {
				own -= send
			}
			ttft[i] = append(ttft[i], max(0, own))
			if x.itl > 0 && x.decode > 0 {
				itl[i] = append(itl[i], x.itl*(x.decode+early)/x.decode)
			}
		}
	}
	slices.Sort(sums.Send)
	slices.Sort(gaps)
	sums.Gap, sums.TTFT, sums.ITL = Percentile(gaps, 50), shifted(ttft), shifted(itl)
	return sums
}

func (x *shift) lagOr(user float64) float64 {
	if x.user {
		return user
	}
	return x.lag
}

// late says that the read came later than a prompt client's would have.
func (x *shift) late(user float64) bool { return x.lagOr(user) > max(promptLag, lateLag*x.gap) }

func shifted(v [3][]float64) Shifted {
	for _, one := range v {
		slices.Sort(one)
	}
	return Shifted{
		P50: Percentile(v[0], 50), P99: Percentile(v[0], 99),
		OwnP50: Percentile(v[1], 50), OwnP99: Percentile(v[1], 99),
		PromptP50: Percentile(v[2], 50), PromptP99: Percentile(v[2], 99),
	}
}
