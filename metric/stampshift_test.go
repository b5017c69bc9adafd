package metric

import (
	"testing"

	"headway/record"
)

// streamOf is one of five tokens, 10 ms apart from 60 ms on, whose first read was
// late and took as many as together says, lag ms after the last of them.
func streamOf(together int, lag float64, change func(*record.Record)) *record.Record {
	r := &record.Record{Outcome: record.OK, Streamed: true, Start: ms(100), Done: ms(300), TokensOut: 11}
	r.HTTP.GotConn, r.HTTP.HeadersSent = ms(100), ms(100)
	r.Arrivals = []record.Arrival{{At: ms(160)}}
	for i := range 11 {
		a := record.Arrival{At: ms(160 + 10*float64(max(i, together-1))), Kind: record.Content,
			Coalesced: i == 0 || i < together}
		r.Arrivals = append(r.Arrivals, a)
	}
	r.Arrivals[0].At = r.Arrivals[1].At
	r.HTTP.FirstRead = r.Arrivals[1].At + ms(lag)
	if change != nil {
		change(r)
	}
	return r
}

func TestStampShift(t *testing.T) {
	for _, tt := range []struct {
		name         string
		r            *record.Record
		ttft, prompt float64 // without the client's share, ms
		itl          float64
		shared, late int
	}{
		{"read one by one", streamOf(1, 0.05, nil), 60, 60, 10, 0, 0},
		{"late with the kernel's stamp", streamOf(1, 9, nil), 60, 60, 10, 0, 0},
		{"four in a late read", streamOf(4, 5, nil), 60, 85, 10, 1, 1},
		{"four in a prompt read", streamOf(4, 0.05, nil), 60, 89.95, 10, 1, 0},
		{"sent late", streamOf(1, 0, func(r *record.Record) { r.Start = ms(90) }), 60, 60, 10, 0, 0},
		{"of the time to connect the quickest is the network's", streamOf(1, 0, func(r *record.Record) {
			r.Start, r.HTTP.ConnectStart, r.HTTP.ConnectDone = ms(90), ms(90), ms(97)
		}), 67, 67, 10, 0, 0},
		{"all in one read", streamOf(11, 5, nil), 0, 155, 0, 1, 1},
		{"a stamp of user space", streamOf(1, 0, func(r *record.Record) {
			for i := range r.Arrivals {
				r.Arrivals[i].UserspaceStamp = true
			}
		}), 58, 58, 10.2, 0, 0},
	} {
		var s StampShift
		if err := s.Take(tt.r); err != nil {
			t.Fatal(err)
		}
		got := s.Shifts(2e-3)
		for name, v := range map[string][2]float64{"TTFT": {1e3 * got.TTFT.OwnP50, tt.ttft},
			"TTFT if prompt": {1e3 * got.TTFT.PromptP50, tt.prompt},
			"ITL":            {1e3 * got.ITL.OwnP50, tt.itl}, "shared": {float64(got.Shared), float64(tt.shared)},
			"late": {float64(got.Late), float64(tt.late)}} {
			if !within(v[0], v[1], 1e-6) {
				t.Errorf("%s: %s %v, not %v", tt.name, name, v[0], v[1])
			}
		}
	}
}

// Connecting longer than the quickest of the run is the client's share: it is
// kept from its processor, and the kernel of the server answers by itself.
func TestStampShiftOfConnecting(t *testing.T) {
	var s StampShift
	for _, took := range []float64{1, 1, 31} {
		r := streamOf(1, 0, func(r *record.Record) {
			r.Start, r.HTTP.ConnectStart, r.HTTP.ConnectDone = ms(100-took), ms(100-took), ms(100)
		})
		if err := s.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Shifts(0); !within(got.TTFT.P99, 0.0904, 1e-4) || !within(got.TTFT.OwnP99, 0.061, 1e-9) ||
		!within(got.Send[2], 0.03, 1e-9) {
		t.Errorf("%+v", got)
	}
}

// What has no time to first token has no part in it.
func TestStampShiftLeavesOut(t *testing.T) {
	var s StampShift
	for _, change := range []func(*record.Record){
		func(r *record.Record) { r.Warmup = true },
		func(r *record.Record) { r.Outcome = record.Failed },
		func(r *record.Record) { r.Streamed = false },
		func(r *record.Record) { r.Arrivals = nil },
	} {
		if err := s.Take(streamOf(4, 5, change)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Shifts(1); got.Count != 0 || got.Send != nil {
		t.Errorf("%+v", got)
	}
}
